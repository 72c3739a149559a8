package sink

import (
	"net/netip"
	"slices"
	"time"
)

// An Outcome is what a sender did with its mail.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered"
	Kept      Outcome = "kept"   // it came, and left with it
	Absent    Outcome = "absent" // it did not come
)

// A Result is what came of a case.
type Result struct {
	Case
	Outcome Outcome
	InClear bool    // it was delivered without TLS
	Fell    bool    // it was delivered after it had been kept
	Visits  []Visit // in the order in which they began
}

// Results are what came of each case. The visitors that count are those that prove to have mail
// for a case; and where a case without STARTTLS is alone at an address, which gives nobody
// anything to prove it with, those that come from the same addresses, or from this host.
func Results(cases []Case, visits []Visit, local []netip.Addr) []Result {
	known := map[netip.Addr]bool{}
	for _, a := range local {
		known[a] = true
	}
	for _, v := range visits {
		if v.proven(cases) {
			known[v.Peer] = true
		}
	}
	results := make([]Result, len(cases))
	for i, c := range cases {
		r := Result{Case: c, Outcome: Absent}
		for _, v := range visits {
			if !v.about(c, known) {
				continue
			}
			r.Visits = append(r.Visits, v)
			switch {
			case v.Brought(c.Domain):
				r.Fell = r.Fell || r.Outcome == Kept
				r.Outcome = Delivered
				r.InClear = r.InClear || slices.Contains(v.InClear, c.Domain)
			case r.Outcome == Absent && !v.Ended.IsZero():
				r.Outcome = Kept
			}
		}
		results[i] = r
	}
	return results
}

// Best is the visit that says most: the one that delivered, else the last.
func (r Result) Best() Visit {
	if len(r.Visits) == 0 {
		return Visit{}
	}
	for _, v := range r.Visits {
		if v.Brought(r.Domain) {
			return v
		}
	}
	return r.Visits[len(r.Visits)-1]
}

// decidedAt is when a result stands unless something comes before: at once for what was
// delivered, and once a sender that left has been quiet for a while. Never: the zero time.
func (r Result) decidedAt(quiet time.Duration) (at time.Time, ever bool) {
	switch r.Outcome {
	case Delivered:
		return time.Time{}, true
	case Kept:
		for _, v := range r.Visits {
			if v.Ended.IsZero() {
				return at, false
			}
			if v.Ended.After(at) {
				at = v.Ended
			}
		}
		return at.Add(quiet), true
	case Absent:
	}
	return at, false
}
