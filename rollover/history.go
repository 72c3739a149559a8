package rollover

import (
	"slices"
	"time"
)

// periodsKept is of how many periods is remembered: of the renewals of a year, and more.
const periodsKept = 16

// A Period is a time in which a lineage was not steady: from the moment when the next
// pair was admitted, and its records were to be published, until nothing of its
// predecessor was left. Nothing is decided by it; what others report of those days is
// compared with it.
type Period struct {
	Began   time.Time `json:"began"`
	Swapped time.Time `json:"swapped,omitzero"` // when a pair was last swapped in meanwhile; zero: none was
	Ended   time.Time `json:"ended,omitzero"`   // zero: it goes on
}

// periods are those of the lineage once its phase is known. What others may hold is
// replaced, not written to.
func (l Lineage) periods(now time.Time) []Period {
	last := len(l.Rollovers) - 1
	open := last >= 0 && l.Rollovers[last].Ended.IsZero()
	if l.Phase == Steady && !open {
		return l.Rollovers
	}
	var p Period
	kept := l.Rollovers
	if open {
		p, kept = l.Rollovers[last], kept[:last]
	} else {
		p.Began = now
		if l.Successor != "" && !l.Since.IsZero() {
			p.Began = l.Since
		}
	}
	if !l.Swapped.Before(p.Began) {
		p.Swapped = l.Swapped
	}
	if l.Phase == Steady {
		p.Ended = now
	}
	if open && p == l.Rollovers[last] {
		return l.Rollovers
	}
	out := append(slices.Clone(kept), p)
	return out[max(0, len(out)-periodsKept):]
}
