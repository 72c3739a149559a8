package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// admissible are the wanted associations that may be added to base now. To a
// combination that stands always; a new one only on evidence, or where without it
// a chain of ours is refused (DESIGN 1, publish).
func (x *pass) admissible(s *site, base tlsa.RRset, wants []want) []want {
	var adds, strange []want
	for _, w := range wants {
		switch {
		case base.Has(w.Association):
		case stands(base, w.Params):
			adds = append(adds, w)
		default:
			strange = append(strange, w)
		}
	}
	base = base.With(associations(adds)...)
	for _, w := range strange {
		if r := x.introduce(s, w.Params, wants); r == nil || x.mends(s, base, w.Params, strange) && w.class <= forSuccessor {
			adds = append(adds, w)
		} else {
			x.waitAt(s, *r)
		}
	}
	return adds
}

// stands reports whether a combination of ours is in an RRset. A record of it that no
// client can use, as one whose digest is too short, does not bring it there (RFC 6698,
// section 4.1): who finds nothing else refuses nobody.
func stands(s tlsa.RRset, p tlsa.Params) bool {
	return slices.ContainsFunc(s.Associations, func(a tlsa.Association) bool {
		return a.Params == p && a.Unusable(tlsa.Reference{}) == nil
	})
}

// mends reports whether a combination repairs what already fails, and takes no match
// away: all of it that chains need comes at once, so that a sibling's chain matches
// it, too.
func (x *pass) mends(s *site, base tlsa.RRset, p tlsa.Params, strange []want) bool {
	repairs := false
	with := base
	for _, w := range strange {
		if w.Params == p && w.class <= forSuccessor {
			repairs = repairs || x.repairs(s, base, w)
			with = with.With(w.Association)
		}
	}
	return repairs && !slices.ContainsFunc(s.owners, func(owner tlsa.Owner) bool {
		return slices.ContainsFunc(x.presentable(owner), func(chain *tlsa.Chain) bool {
			return x.suffers(meeting{base, chain}, meeting{with, chain}, owner)
		})
	})
}

// presentable are the chains that were presented at the last look, or that not every
// address has been seen without since, and the live ones.
func (x *pass) presentable(owner tlsa.Owner) []*tlsa.Chain {
	l := x.Owners[owner]
	ids := l.shownNow()
	for _, p := range l.Presented {
		if !l.seenSince(p.Last) {
			ids = append(ids, p.Chain)
		}
	}
	for _, u := range x.users[owner] {
		ids = append(ids, x.Lineages[u.lineage].Live)
	}
	var chains []*tlsa.Chain
	for _, id := range ids {
		if chain := x.chain(id); chain != nil && !slices.Contains(chains, chain) {
			chains = append(chains, chain)
		}
	}
	return chains
}

// introduce says why a combination cannot come into the RRset now: every
// address must have been seen three times, and every chain that was presented
// within the retire window, is live or comes next must match it (RFC 7671,
// section 8: for each combination a record matches the current chain).
func (x *pass) introduce(s *site, p tlsa.Params, wants []want) *Reason {
	var as []tlsa.Association
	for _, w := range wants {
		if w.Params == p && w.class <= forSuccessor {
			as = append(as, w.Association)
		}
	}
	coming := tlsa.NewRRset(0, as...)
	for _, owner := range s.owners {
		l := x.Owners[owner]
		for _, id := range x.chainsAt(owner) {
			if chain := x.chain(id); chain == nil || !x.vouchesFor(p, coming, chain, owner) {
				r := reason(CodeCombinationHeld, "%s: combination %s is held back: chain %s, which is or was presented or comes next, would not match it (RFC 7671, section 8)", s.target, p, id.Short())
				r.Until = x.leaves(owner, id)
				return &r
			}
		}
		for _, a := range l.Addresses {
			if why := a.broken(); why != "" {
				r := reason(CodeNoTLS, "%s: nothing is published while %s has no working TLS (RFC 7672, section 2.2): %s", s.target, a.Address, why)
				return &r
			}
		}
		if r := l.sinceThen(x.now.Add(-evidenceAge(x.policy.Timing))); r != nil {
			x.unseen = x.unseen || r.Until.IsZero()
			held := reason(CodeEndpointUnseen, "%s: combination %s is held back: %s", s.target, p, r.Text)
			held.Until = r.Until
			return &held
		}
	}
	if past := x.past(s); len(past) > 0 {
		r := reason(CodeCombinationHeld, "%s: combination %s is held back until %s, which matches no chain any more, is out (RFC 7671, section 8.2)", s.target, p, shortly(past))
		return &r
	}
	return nil
}

// past are records of ours that are on their way out and match no chain that is
// presented or comes next.
func (x *pass) past(s *site) []tlsa.Association {
	l := x.ledger(s)
	standing := l.latest()
	return slices.DeleteFunc(x.surplus(s), func(a tlsa.Association) bool {
		return !standing.Has(a) || x.inUse(s, a)
	})
}

// chainsAt are the chains that a client asking at owner may be shown, or soon.
func (x *pass) chainsAt(owner tlsa.Owner) []tlsa.ChainID {
	l := x.Owners[owner]
	ids := l.shownNow()
	for _, p := range l.Presented {
		if x.inSight(&l, p) {
			ids = append(ids, p.Chain)
		}
	}
	for _, u := range x.users[owner] {
		l := x.Lineages[u.lineage]
		ids = append(ids, l.Live, l.Successor)
	}
	ids = slices.DeleteFunc(ids, func(id tlsa.ChainID) bool { return id == "" })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// inSight reports whether a chain may be presented still: it was within the
// retire window, or some address has not been seen without it since.
func (x *pass) inSight(l *Ledger, p PresentedChain) bool {
	return x.now.Before(p.Last.Add(x.policy.Timing.Retire)) || !l.seenSince(p.Last)
}

// leaves is when a chain leaves the retire window, zero where that cannot be
// told: it is presented still, or on its way.
func (x *pass) leaves(owner tlsa.Owner, id tlsa.ChainID) time.Time {
	l := x.Owners[owner]
	if x.named[id] || slices.Contains(l.shownNow(), id) {
		return time.Time{}
	}
	for _, p := range l.Presented {
		if p.Chain == id {
			return p.Last.Add(x.policy.Timing.Retire)
		}
	}
	return time.Time{}
}

// repairs reports whether adding w mends an RRset that already fails: a chain
// that is presented and ours authenticates with it, and did not without.
func (x *pass) repairs(s *site, base tlsa.RRset, w want) bool {
	if base.Denial() || w.class != forLive {
		return false // without an RRset nobody is refused
	}
	for _, owner := range s.owners {
		for _, a := range x.Owners[owner].Addresses {
			for _, c := range a.Cells {
				chain := x.chain(c.Chain)
				if c.Outcome == Served && chain != nil && x.matches(w.Association, chain, owner) && x.fails(base, chain, owner) {
					return true
				}
			}
		}
	}
	return false
}

// unmatchedHere are the chains of ours that are presented, if one of them is
// refused by what stands, even with all that is wanted of the combinations there:
// the server reads other files than ours. The 3 1 1 of all of them come together,
// so that none suffers from the combination that another brings.
func (x *pass) unmatchedHere(s *site, wants []want) []tlsa.ChainID {
	l := x.ledger(s)
	standing := l.latest()
	best := standing.With(associations(slices.DeleteFunc(slices.Clone(wants), func(w want) bool { return !stands(standing, w.Params) }))...)
	var ids []tlsa.ChainID
	unmatched := false
	for _, owner := range s.owners {
		l := x.Owners[owner]
		for _, id := range l.shownNow() {
			if chain := x.chain(id); chain != nil && x.known(owner, chain) && !x.renounced(owner, chain) {
				ids = append(ids, id)
				unmatched = unmatched || x.fails(best, chain, owner)
			}
		}
	}
	if !unmatched {
		return nil
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// known reports whether the leaf is one of a lineage's pairs.
func (x *pass) known(owner tlsa.Owner, chain *tlsa.Chain) bool {
	for _, u := range x.users[owner] {
		l := x.Lineages[u.lineage]
		for _, id := range []tlsa.ChainID{l.Live, l.Previous, l.Successor, l.Queued, l.Staged} {
			if c := x.chain(id); c != nil && c.LeafID() == chain.LeafID() {
				return true
			}
		}
	}
	return false
}

// renounced reports whether the chain's key was declared compromised, and another one
// has taken its place: whoever presents it may have stolen it, and gets no record.
func (x *pass) renounced(owner tlsa.Owner, chain *tlsa.Chain) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		l := x.Lineages[u.lineage]
		live := x.chain(l.Live)
		return l.compromised(chain) != nil && live != nil && live.SPKI() != chain.SPKI()
	})
}

// needsBridge reports whether the live chain matches nothing that the scheme
// asks for, so that no combination of the scheme can be introduced before the
// swap: then the 3 1 1 of all chains carries it over, and leaves afterwards
// (DESIGN 4.7).
func (x *pass) needsBridge(name string, owners []tlsa.Owner) bool {
	l, p := x.Lineages[name], x.policy.Lineages[name]
	live := x.chain(l.Live)
	if p.Scheme.EE || p.Scheme.Standby || live == nil || l.Successor == "" {
		return false
	}
	needs := x.needs(name, l.Live)
	return slices.ContainsFunc(owners, func(owner tlsa.Owner) bool {
		return !slices.ContainsFunc(needs, func(a tlsa.Association) bool { return x.matches(a, live, owner) })
	})
}
