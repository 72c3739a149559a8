package tlsrpt

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A Lineage is what is remembered of the certificates of some hosts.
type Lineage struct {
	Name      string
	Hosts     []string
	Rollovers []rollover.Period
}

// A Relation is how the time in which failures began lies to our rollovers.
type Relation struct {
	When      When     `json:"when"`
	Rollovers []Within `json:"rollovers,omitempty"` // those within whose time they began
}

// Within is a rollover.
type Within struct {
	Lineage string `json:"lineage"`
	rollover.Period
}

// When is a [Relation] in a word.
type When string

// Reports tell the day of a failure, not the hour: within is a day that has some of the
// rollover's time in it.
const (
	During  When = "within"  // they began within a rollover's time
	Outside When = "outside" // they did not
	Before  When = "unknown" // they began before what is remembered, or nobody says when
)

// Compare says of each group how it lies to the rollovers of the lineages that have its host.
func Compare(groups []Group, lineages []Lineage) {
	for i := range groups {
		groups[i].Rollover = groups[i].compare(lineages)
	}
}

func (g Group) compare(lineages []Lineage) *Relation {
	var out *Relation
	remembered := true // that time, by all of them
	for _, l := range lineages {
		if g.Host == "" || !slices.Contains(l.Hosts, g.Host) {
			continue
		}
		if out == nil {
			out = &Relation{When: Before}
		}
		remembered = remembered && slices.ContainsFunc(l.Rollovers, func(p rollover.Period) bool { return !p.Began.After(g.Began) })
		for _, p := range l.Rollovers {
			if overlap(p, g.Began, g.By) {
				out.When, out.Rollovers = During, append(out.Rollovers, Within{l.Name, p})
			}
		}
	}
	if out != nil && out.When == Before && remembered && !g.Began.IsZero() {
		out.When = Outside
	}
	return out
}

// overlap reports whether a rollover's time and that of a report have a moment in common.
func overlap(p rollover.Period, begin, end time.Time) bool {
	if begin.IsZero() {
		return false
	}
	return !end.Before(p.Began) && (p.Ended.IsZero() || !begin.After(p.Ended))
}
