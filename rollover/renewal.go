package rollover

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Issuing is what is remembered of the orders for a lineage's certificates. Orders
// run beside the passes, so it is no part of what a pass decides.
type Issuing struct {
	// What the issuer said of one leaf.
	Leaf   string    `json:"leaf,omitempty"`   // SHA-256 of its DER
	At     time.Time `json:"at,omitzero"`      // it is to be renewed then
	Reason string    `json:"reason,omitempty"` // whose word that is
	Ask    time.Time `json:"ask,omitzero"`     // from then on the answer may be another one; zero: it will not

	// The last order, from before it began: one that was cut off counts as failed.
	Names []string     `json:"names,omitempty"` // for which it was
	Chain tlsa.ChainID `json:"chain,omitempty"` // what it came to
	Tries int          `json:"tries,omitempty"` // orders in a row that failed
	Again time.Time    `json:"again,omitzero"`  // no other order for the same names before
	Told  bool         `json:"told,omitempty"`  // that is the issuer's word: nor one for others
	Err   string       `json:"err,omitempty"`   // why it failed
}

// A Renewal says when the next certificate of a lineage is to be ordered.
type Renewal struct {
	At      time.Time         // zero: no order is made
	Reason  string            // why then, or why not
	Leaf    *x509.Certificate // the newest that counts, which is to be renewed then; nil: there is none
	Unasked bool              // the issuer's word on Leaf is lacking, or may be another one by now
	Failing bool              // it would have been ordered before now, but for orders that failed
}

// due reports whether the order is due.
func (r Renewal) due(now time.Time) bool { return !r.At.IsZero() && !now.Before(r.At) }

// Due reports whether the issuer is to be asked, or the order to be made.
func (r Renewal) Due(now time.Time) bool { return r.due(now) || r.Leaf != nil && r.Unasked }

// renewals is by how many orders in the last third of its lifetime a certificate may
// be followed whose successors are not taken: refused, or dropped by a person.
const renewals = 4

// restLive is the least between an order whose certificate went live and the next one:
// half of the day that CAs have at least until they revoke.
const restLive = 12 * time.Hour

// Rest is for how long no other order follows one that came to a certificate, should
// that not be taken.
func Rest(leaf *x509.Certificate) time.Duration {
	return lifetime(leaf) / (3 * renewals)
}

func lifetime(leaf *x509.Certificate) time.Duration { return leaf.NotAfter.Sub(leaf.NotBefore) }

// Renewal says when a certificate for some names is to be ordered: by the newest
// of those that are live, on their way or handed in, which is in date and for the
// same names, when its issuer wants it or a third of its lifetime is left; else now.
// Orders that failed put it off, as long as the names stay.
//
// A freeze stops no order: whoever thaws wants a successor that is in date. A
// withdrawn lineage needs none, and one whose served pair has not been taken over
// yet may have one.
func (s State) Renewal(lineage string, names []string, i Issuing, handed []*tlsa.Chain, now time.Time) Renewal {
	l, met := s.Lineages[lineage]
	switch {
	case !met:
		return Renewal{Reason: "nothing has been looked at yet"}
	case !l.Withdrawn.IsZero():
		return Renewal{Reason: "the lineage is withdrawn"}
	case l.Live == "" && slices.ContainsFunc(l.Waiting, func(r Reason) bool { return r.Code == CodeAdopting || r.Code == CodeNotAdopted }):
		return Renewal{Reason: "no pair is live yet: what is served comes first"}
	}
	r := s.renewal(l, names, i, handed, now)
	if until := s.wentBack(l, r.Leaf); until.After(r.At) {
		r.At, r.Reason = until, "a person brought the live pair back at "+Stamp(l.Returned)
	}
	if i.Told || sameNames(i.Names, names) {
		r.Failing = i.Tries > 0 && r.due(now)
		if again := s.again(l, i); again.After(r.At) {
			r.At = again
		}
	}
	return r
}

// again is before when no other order is placed. Once what the last one came to is live,
// it was taken, and it may have to be followed soon, as where its CA revokes many (RFC
// 9773, section 4.2): a CA that always says so is still not asked at every breath.
func (s State) again(l Lineage, i Issuing) time.Time {
	chain := s.Chains[i.Chain]
	if i.Tries > 0 || i.Told || i.Chain != l.Live || chain == nil {
		return i.Again
	}
	rest := Rest(chain.Leaf())
	return i.Again.Add(min(rest, restLive) - rest)
}

func (s State) renewal(l Lineage, names []string, i Issuing, handed []*tlsa.Chain, now time.Time) Renewal {
	var newest *tlsa.Chain
	reason := "there is no certificate yet"
	for _, chain := range append([]*tlsa.Chain{s.Chains[l.Live], s.Chains[l.Successor], s.Chains[l.Queued]}, handed...) {
		switch {
		case chain == nil:
		case !now.Before(chain.Leaf().NotAfter):
			if newest == nil {
				reason = "the last certificate ended"
			}
		case !isFor(chain, names, i):
			if newest == nil {
				reason = "it is to be for other names: " + strings.Join(names, ", ")
			}
		case newest == nil || younger(chain.Leaf(), newest.Leaf()):
			newest = chain
		}
	}
	if newest == nil {
		return Renewal{At: now, Reason: reason}
	}
	leaf := newest.Leaf()
	r := Renewal{At: leaf.NotAfter.Add(-lifetime(leaf) / 3), Reason: "a third of its lifetime is left then", Leaf: leaf, Unasked: true}
	if i.Leaf == newest.LeafID() {
		r.Unasked = !i.Ask.IsZero() && !now.Before(i.Ask)
		if !i.At.IsZero() && i.At.Before(leaf.NotAfter) {
			r.At, r.Reason = i.At, i.Reason
		}
	}
	return r
}

// wentBack is until when a lineage whose pair a person brought back has no other
// ordered, zero where none did: with a standby key that would be in its place at once.
// What is left of its lifetime comes first.
func (s State) wentBack(l Lineage, leaf *x509.Certificate) time.Time {
	live := s.Chains[l.Live]
	if l.Returned.IsZero() || leaf == nil || live == nil || !leaf.Equal(live.Leaf()) {
		return time.Time{}
	}
	until := l.Returned.Add(Rest(leaf))
	if last := leaf.NotAfter.Add(-Rest(leaf)); last.Before(until) {
		return last
	}
	return until
}

func younger(a, b *x509.Certificate) bool {
	if !a.NotBefore.Equal(b.NotBefore) {
		return a.NotBefore.After(b.NotBefore)
	}
	return a.NotAfter.After(b.NotAfter)
}

// isFor reports whether a chain is for the names that are wanted. An issuer may
// have its own mind about names: what an order for these names came to is for them.
func isFor(chain *tlsa.Chain, names []string, i Issuing) bool {
	return sameNames(chain.Names(), names) || chain.ID() == i.Chain && sameNames(i.Names, names)
}

func sameNames(a, b []string) bool { return slices.Equal(nameSet(a), nameSet(b)) }

func nameSet(names []string) []string {
	set := make([]string, 0, len(names))
	for _, name := range names {
		set = append(set, strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// nextOrder is when the next certificate of a lineage is to be ordered; none is where
// its pairs come from elsewhere.
func (x *pass) nextOrder(name string) (Renewal, bool) {
	names, l := x.policy.Lineages[name].Names, x.Lineages[name]
	if len(names) == 0 {
		return Renewal{}, false
	}
	l.Waiting = x.Waiting[name]
	return State{Lineages: map[string]Lineage{name: l}, Chains: x.Chains}.Renewal(name, names, l.Issuing, nil, x.now), true
}

// warnOrder tells of an order that is due and fails: the less is left of the live
// certificate, the louder.
func (x *pass) warnOrder(name string) {
	r, ours := x.nextOrder(name)
	if !ours || !r.Failing {
		return
	}
	i := x.Lineages[name].Issuing
	again := "it is tried again now"
	if r.At.After(x.now) {
		again = "tried again at " + Stamp(r.At)
	}
	w := warning(CodeOrderFailed, "", "the order for a certificate failed%s: %s; %s", inARow(i.Tries), i.Err, again)
	live := x.chain(x.Lineages[name].Live)
	if live == nil || live.NotAfter().Sub(x.now) < lifetime(live.Leaf())/6 {
		w.Severity = Danger
	}
	x.tell(name, w)
}

func inARow(tries int) string {
	if tries < 2 {
		return ""
	}
	return fmt.Sprintf(" %d times in a row", tries)
}
