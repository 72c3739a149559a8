package page

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Lineage is all there is to say of one.
type Lineage struct {
	Name     string
	Identity string
	Link     string // to the page about it alone; "" on that page
	Tone     Tone
	Badge    Badge
	Doubts   []Doubt  // what keeps it from being called well, the worst first
	Flags    []Badge  // the same beside the badge
	Sentence string   // what goes on
	When     *Moment  // since when, nil: not known
	Next     NextStep // what is done next
	Ends     *Moment  // when the live certificate does
	Urgent   bool     // somebody is needed
	going    string   // how far a rollover has come
	Errors   int
	Warnings int

	Troubles  []Trouble
	Waits     []Wait
	Timeline  *Timeline // of the rollover, nil where none goes on
	Life      *Life     // of the live pair, nil while one is being replaced
	Pairs     []Pair
	Standby   *Standby
	Renewal   *Renewal
	Endpoints []Endpoint
	History   []Past
	NextLook  *Moment
}

// Pair is a certificate that has a part.
type Pair struct {
	Role, Short, ID, Leaf, SPKI string
	Ends                        *Moment
	Tone                        Tone
}

// Standby is a key that is published ahead.
type Standby struct {
	Record, Phase string
	Ready         *Moment
}

// Renewal is the next order for a certificate.
type Renewal struct {
	At            *Moment
	Reason, Error string
	Tries         int
	Again         *Moment
}

// lineage puts one into words; it is stale if it was not looked at since the program began.
func lineage(s rollover.LineageStatus, stale bool, now time.Time) Lineage {
	l := Lineage{Name: harmless(s.Name), Identity: "lineage-" + identity(s.Name), NextLook: maybe(s.NextLook, now),
		Badge: badge(s), Doubts: doubts(s, stale), Next: nextStep(s, now), going: going(s, now), Waits: waits(s, now),
		Timeline: timeline(s, now), Pairs: pairs(s, now), History: history(s.Rollovers, now)}
	for _, w := range s.Warnings {
		switch w.Severity {
		case rollover.Danger:
			l.Errors++
		case rollover.Warn:
			l.Warnings++
		case rollover.Info:
		}
	}
	if s.Live != nil {
		l.Ends = moment(s.Live.NotAfter, now)
	}
	l.Sentence, l.When = sentence(s, now)
	l.Flags = flags(l.Badge, l.Doubts)
	l.Tone = toneOf(l.Badge.Tone, l.Errors, l.Warnings, l.Doubts)
	l.Troubles = byTone(append(troubles(s.Warnings, endOf(s, now), now), explained(l.Doubts, s)...))
	l.Urgent = l.Tone == Bad
	if l.Timeline == nil {
		l.Life = life(s, now)
	}
	if b := s.Standby; b != nil {
		l.Standby = &Standby{harmless(b.Record), harmless(string(b.Phase)), maybe(b.ReadyAt, now)}
	}
	if r := s.Renewal; r != nil {
		l.Renewal = &Renewal{maybe(r.At, now), here(r.Reason, now), here(r.Error, now), r.Tries, maybe(r.Again, now)}
	}
	for i, e := range s.Endpoints {
		l.Endpoints = append(l.Endpoints, endpoint(fmt.Sprintf("%s-endpoint-%d", l.Identity, i), s, e))
	}
	return l
}

// word is the one that matters most.
func (l *Lineage) word() string {
	if len(l.Doubts) > 0 && l.Doubts[0].Tone.rank() > l.Badge.Tone.rank() {
		return l.Doubts[0].Word
	}
	return l.Badge.Word
}

// Unfold shows all there is, for a page of its own.
func (l *Lineage) Unfold() {
	for i := range l.Endpoints {
		l.Endpoints[i].Open = true
	}
}

// badge is the lineage's phase in the words of RFC 7583, or why it stands still.
func badge(s rollover.LineageStatus) Badge {
	switch {
	case held(s):
		return Badge{Bad, "held"}
	case s.Swapping != nil:
		return Badge{Moving, "swapping"}
	case s.Phase == rollover.Steady && s.Live == nil:
		return Badge{Plain, "no pair yet"}
	case s.Phase == rollover.Steady:
		return Badge{Good, "steady"}
	}
	return Badge{Moving, harmless(string(s.Phase))}
}

// held reports whether a swap was undone and is not tried yet.
func held(s rollover.LineageStatus) bool {
	return s.Held != nil && s.Successor != nil && s.Held.Chain == s.Successor.ID
}

// pairs are those of a lineage, the live one first.
func pairs(s rollover.LineageStatus, now time.Time) (out []Pair) {
	add := func(role string, p *rollover.PairStatus) {
		if p == nil {
			return
		}
		tone := Plain
		if !p.NotAfter.After(now) {
			tone = Bad
		}
		out = append(out, Pair{role, harmless(p.ID.Short()), harmless(string(p.ID)), harmless(p.Leaf), harmless(p.SPKI), moment(p.NotAfter, now), tone})
	}
	add("live", s.Live)
	if s.Successor != nil {
		add("successor", &s.Successor.PairStatus)
	}
	add("queued", s.Queued)
	return out
}

// Past is a rollover of the past.
type Past struct {
	Began, Swapped, Ended *Moment
	Took                  string
}

// history is what is over, the newest first.
func history(periods []rollover.Period, now time.Time) (out []Past) {
	for _, p := range slices.Backward(periods) {
		if !p.Ended.IsZero() {
			out = append(out, Past{moment(p.Began, now), maybe(&p.Swapped, now), moment(p.Ended, now), span(p.Ended.Sub(p.Began))})
		}
	}
	return out
}
