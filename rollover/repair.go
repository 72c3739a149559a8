package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Repair is what was put right: records of ours that were gone, or without which
// a chain that is presented was refused. It is told of until no answer without
// them can be held.
type Repair struct {
	Records []tlsa.Association `json:"records"`
	At      time.Time          `json:"at"`
	For     string             `json:"for,omitempty"` // address that presents the chain; "": they were gone
}

// repairing notes what of a change about to be planned puts something right.
func (x *pass) repairing(s *site, base, after tlsa.RRset) {
	l := x.ledger(s)
	added := base.Missing(after.Associations...)
	r := Repair{At: x.now, For: x.refusedAt(s, base, after)}
	for _, a := range added {
		// after a change that failed or was interrupted nobody took it out: it never was there
		if r.For != "" || slices.Contains(l.Ours, a) && l.Failed == "" && l.Writing.IsZero() {
			r.Records = append(r.Records, a)
		}
	}
	if len(r.Records) > 0 {
		x.update(s, func(l *Ledger) {
			r.Records = union(l.Repair.Records, r.Records)
			l.Repair = r
		})
	}
}

// refusedAt is the address that presents a chain which base fails and after does
// not, "" if there is none. Without an RRset nobody is refused.
func (x *pass) refusedAt(s *site, base, after tlsa.RRset) string {
	if base.Denial() {
		return ""
	}
	for _, owner := range s.owners {
		for _, a := range x.Owners[owner].Addresses {
			for _, c := range a.Cells {
				if chain := x.chain(c.Chain); c.Outcome == Served && chain != nil && x.fails(base, chain, owner) && !x.fails(after, chain, owner) {
					return a.Address
				}
			}
		}
	}
	return ""
}

// healed reports whether nothing is left of what a repair put right.
func (x *pass) healed(l *Ledger) bool {
	r := &l.Repair
	if r.At.IsZero() {
		return false
	}
	w := x.waits(l)
	return !slices.ContainsFunc(r.Records, func(a tlsa.Association) bool {
		return slices.Contains(l.Ours, a) && slices.ContainsFunc(l.Versions, func(v Version) bool { return !v.Unknown && w.alive(v, x.now) && !v.RRset.Has(a) })
	})
}

func (r Repair) warning(target tlsa.Owner) Warning {
	if r.For == "" {
		return warning(CodeRepair, string(target), "%s: somebody took out %s, which was published again at %s", target, shortly(r.Records), Stamp(r.At))
	}
	return warning(CodeRepair, string(target), "%s: the RRset did not match what %s presents: %s was published at %s", target, r.For, shortly(r.Records), Stamp(r.At))
}
