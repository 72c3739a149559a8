package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// admissible are the wanted associations that may be added to base now. To a
// combination that stands always; a new one only on evidence (DESIGN 1, publish).
func (x *pass) admissible(target tlsa.Owner, owners []tlsa.Owner, base tlsa.RRset, wants []want) []want {
	var adds []want
	for _, w := range wants {
		switch {
		case base.Has(w.Association):
		case base.HasParams(w.Params):
			adds = append(adds, w)
		default:
			if r := x.introduce(target, owners, w.Params, wants); r == nil || x.repairs(owners, base, w) {
				adds = append(adds, w)
			} else {
				x.waitAt(owners, *r)
				x.withhold(target, w.Params, *r)
			}
		}
	}
	return adds
}

func (x *pass) withhold(target tlsa.Owner, p tlsa.Params, r Reason) {
	if x.withheld[target] == nil {
		x.withheld[target] = map[tlsa.Params]Reason{}
	}
	x.withheld[target][p] = r
}

// introduce says why a combination cannot come into the RRset now: every
// address must have been seen three times, and every chain that was presented
// within the retire window, is live or comes next must match it (RFC 7671,
// section 8: for each combination a record matches the current chain).
func (x *pass) introduce(target tlsa.Owner, owners []tlsa.Owner, p tlsa.Params, wants []want) *Reason {
	var as []tlsa.Association
	for _, w := range wants {
		if w.Params == p && w.class <= forSuccessor {
			as = append(as, w.Association)
		}
	}
	coming := tlsa.NewRRset(0, as...)
	for _, owner := range owners {
		l := x.Owners[owner]
		for _, id := range x.chainsAt(owner) {
			if chain := x.chain(id); chain == nil || !x.vouchesFor(p, coming, chain, owner) {
				r := reason(CodeChainUnmatched, "%s: combination %s is held back: chain %s, which is or was presented or comes next, would not match it (RFC 7671, section 8)", target, p, id.Short())
				return &r
			}
		}
		for _, a := range l.Addresses {
			if why := a.broken(); why != "" {
				r := reason(CodeNoTLS, "%s: nothing is published while %s has no working TLS (RFC 7672, section 2.2): %s", target, a.Address, why)
				return &r
			}
		}
		if r := l.sinceThen(x.now.Add(-evidenceAge(x.policy.Timing))); r != nil {
			x.unseen = true
			held := reason(CodeEndpointUnseen, "%s: combination %s is held back: %s", target, p, r.Text)
			return &held
		}
	}
	return nil
}

// chainsAt are the chains that a client asking at owner may be shown, or soon.
func (x *pass) chainsAt(owner tlsa.Owner) []tlsa.ChainID {
	var ids []tlsa.ChainID
	for _, p := range x.Owners[owner].Presented {
		if x.now.Sub(p.Last) <= x.policy.Timing.Retire || x.presentedNow(owner, p.Chain) {
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

// presentedNow reports whether the last look at some address showed the chain.
func (x *pass) presentedNow(owner tlsa.Owner, id tlsa.ChainID) bool {
	return slices.ContainsFunc(x.Owners[owner].Addresses, func(a AddressEvidence) bool { return a.presents(id) })
}

func (x *pass) vouchesFor(p tlsa.Params, s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	for _, u := range x.users[owner] {
		if s.VouchesFor(p, chain, u.endpoint.reference(x.now)) != nil {
			return false
		}
	}
	return true
}

// repairs reports whether adding w mends an RRset that already fails: a chain
// that is presented and ours authenticates with it, and did not without.
func (x *pass) repairs(owners []tlsa.Owner, base tlsa.RRset, w want) bool {
	if base.Denial() || w.class != forLive {
		return false
	}
	for _, owner := range owners {
		for _, a := range x.Owners[owner].Addresses {
			for _, c := range a.Cells {
				chain := x.chain(c.Chain)
				if c.Outcome == Served && chain != nil && x.matches(w.Association, chain, owner) && x.fails(base, chain, owner) {
					x.warnAt(owners, CodeRepair, Warn, string(owner)+": the RRset does not match the chain that "+a.Address+" presents: "+w.Association.String()+" is published at once")
					return true
				}
			}
		}
	}
	return false
}

// fails reports whether a DANE client at one of the owner's endpoints refuses the chain.
func (x *pass) fails(s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		return s.Authenticates(chain, u.endpoint.reference(x.now)) != nil
	})
}

// unmatchedHere are chains of ours that are presented and that no standing
// answer matches: the server reads other files than ours, or someone took a
// record out.
func (x *pass) unmatchedHere(owners []tlsa.Owner) []tlsa.ChainID {
	var ids []tlsa.ChainID
	for _, owner := range owners {
		l := x.Owners[owner]
		for _, a := range l.Addresses {
			for _, c := range a.Cells {
				chain := x.chain(c.Chain)
				if c.Outcome != Served || chain == nil || !x.known(owner, chain) {
					continue
				}
				for _, v := range l.Versions {
					if len(v.By) > 0 && !v.Unknown && x.fails(v.RRset, chain, owner) {
						ids = append(ids, c.Chain)
						break
					}
				}
			}
		}
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

// needsBridge reports whether the live chain matches nothing that the scheme
// asks for, so that no combination of the scheme can be introduced before the
// swap: then the 3 1 1 of all chains carries it over, and leaves afterwards
// (DESIGN 4.7).
func (x *pass) needsBridge(name string, owners []tlsa.Owner) bool {
	l, p := x.Lineages[name], x.policy.Lineages[name]
	live := x.chain(l.Live)
	if p.Scheme.EE || live == nil || l.Successor == "" {
		return false
	}
	needs := x.needs(name, l.Live)
	return slices.ContainsFunc(owners, func(owner tlsa.Owner) bool {
		return !slices.ContainsFunc(needs, func(a tlsa.Association) bool { return x.matches(a, live, owner) })
	})
}

// clear takes out a combination that stands, is ours, and cannot match a
// successor that is otherwise published (RFC 7671, section 8.2).
func (x *pass) clear() {
	targets := x.targets()
	for target, owners := range targets {
		for _, name := range x.usersAt(owners) {
			if next := x.chain(x.Lineages[name].Successor); next != nil && !x.changing[target] {
				x.clearAt(target, owners, next)
			}
		}
	}
}

func (x *pass) clearAt(target tlsa.Owner, owners []tlsa.Owner, next *tlsa.Chain) {
	l := x.Owners[owners[0]]
	standing := l.latest()
	var out []tlsa.Association
	for _, p := range standing.Combinations(tlsa.Reference{SMTP: true}) {
		if x.vouchesFor(p, standing, next, owners[0]) {
			continue
		}
		for _, a := range standing.Associations {
			if a.Params != p {
				continue
			}
			if !slices.Contains(l.Ours, a) {
				r := reason(CodeForeignCombo, "%s: combination %s cannot match chain %s, and %s is not ours to take out (hint: take it out, or tlsaroll adopt --record)", target, p, next.ID().Short(), a)
				x.waitAt(owners, r)
				x.warnAt(owners, CodeForeignCombo, Danger, r.Text)
				return
			}
			out = append(out, a)
		}
	}
	left := standing.Without(out...)
	if len(out) == 0 || left.Denial() {
		return // nothing to take out, or the bridge is not there yet
	}
	copied, read := x.seen.Copies[target]
	switch {
	case !read:
		x.needCopy(target)
		return
	case !copied.Known() || !copied.Value.Same(standing) || !x.mayWrite(target, owners, []want{{Association: out[0]}}):
		return
	}
	for _, owner := range owners {
		for _, id := range x.chainsAt(owner) {
			if chain := x.chain(id); chain != nil && x.refuses(left, chain, owner) && !x.refuses(standing, chain, owner) {
				x.waitAt(owners, reason(CodeStillNeeded, "%s: a combination that the successor cannot match stays: chain %s needs it", target, id.Short()))
				return
			}
		}
	}
	x.change(target, owners, Change{Before: copied.Value, After: copied.Value.Without(out...)}, func(c Change) Action { return Retire{c} })
}

// latest is the content that was read or seen last: the copy's, else the newest
// that a server gives.
func (l *Ledger) latest() tlsa.RRset {
	var best Version
	for _, v := range l.Versions {
		if v.Unknown || !v.current() {
			continue
		}
		if v.InCopy == best.InCopy && !v.Served.Before(best.Served) || v.InCopy && !best.InCopy {
			best = v
		}
	}
	return best.RRset
}

// refuses reports whether the RRset does not vouch for the chain in the strong
// sense at some endpoint of the owner.
func (x *pass) refuses(s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		return s.Vouches(chain, u.endpoint.reference(x.now)) != nil
	})
}

func (x *pass) warnAt(owners []tlsa.Owner, code Code, severity Severity, text string) {
	for _, name := range x.usersAt(owners) {
		x.tell(name, code, severity, text)
	}
}
