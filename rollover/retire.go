package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// retire takes out what no lineage needs and no chain presented lately needs
// (DESIGN 4.8). There is no second wait for caches: they have the successor's
// records since before the swap. What must be seen is that nobody presents the
// old chain any more.
func (x *pass) retire() {
	for _, s := range x.sites() {
		if !x.changing[s.target] && !x.swappingAt(s) {
			x.retireAt(s)
		}
	}
}

func (x *pass) retireAt(s *site) {
	if x.withdrawn(s) {
		x.withdrawAt(s)
		return
	}
	surplus := x.surplus(s)
	l := x.ledger(s)
	standing := l.latest()
	after := x.less(s, standing, surplus)
	for _, a := range surplus {
		if !standing.Has(a) {
			x.lost(s, a)
		}
	}
	if after.Same(standing) {
		after = x.less(s, standing, x.spare(s, standing))
	}
	if gone := after.Missing(standing.Associations...); len(gone) > 0 && !x.frozenAt(s) {
		x.takeOut(s, standing, gone)
	}
}

// less is an RRset less what of surplus can leave it.
func (x *pass) less(s *site, standing tlsa.RRset, surplus []tlsa.Association) tlsa.RRset {
	if len(surplus) == 0 {
		return standing
	}
	after := standing
	for _, p := range combinations(standing) {
		after = x.without(s, after, p, surplus)
	}
	return after
}

// spare are records published ahead that make room for what lacks it: issuers, the last
// named first, then standby keys, but for nothing less than a chain; no more of them than
// records lack room, and none that a chain matches which may be presented still, however
// long ago it went.
func (x *pass) spare(s *site, standing tlsa.RRset) []tlsa.Association {
	l := x.ledger(s)
	var as []tlsa.Association
	for _, w := range slices.Backward(x.wants(s)) {
		lacking := 0
		if w.class == forAhead {
			lacking = x.pressed[s.target]
		} else if w.class == forStandby {
			lacking = x.urgent[s.target]
		}
		if len(as) < lacking && standing.Has(w.Association) && slices.Contains(l.Ours, w.Association) && !x.inUse(s, w.Association) {
			as = append(as, w.Association)
		}
	}
	return as
}

// inUse reports whether a chain matches the association that may be presented still, or
// comes next.
func (x *pass) inUse(s *site, a tlsa.Association) bool {
	return slices.ContainsFunc(s.owners, func(owner tlsa.Owner) bool {
		return slices.ContainsFunc(x.chainsAt(owner), func(id tlsa.ChainID) bool {
			chain := x.chain(id)
			return chain != nil && x.matches(a, chain, owner)
		})
	})
}

// without is an RRset less what can leave of one combination. Where all of that
// is surplus it leaves whole (RFC 7671, section 8.3: "remove it entirely"): two
// chains may each match one record of it, so that neither could go alone.
func (x *pass) without(s *site, standing tlsa.RRset, p tlsa.Params, surplus []tlsa.Association) tlsa.RRset {
	var of []tlsa.Association
	whole := true
	for _, a := range standing.Associations {
		switch {
		case a.Params != p:
		case slices.Contains(surplus, a):
			of = append(of, a)
		default:
			whole = false
		}
	}
	if whole && len(of) > 1 && x.needed(s, standing, of...) == nil {
		return standing.Without(of...)
	}
	for _, a := range of {
		if r := x.needed(s, standing, a); r != nil {
			x.waitAt(s, *r)
		} else {
			standing = standing.Without(a)
		}
	}
	return standing
}

// takeOut asks for records of ours to be taken out of what stands.
func (x *pass) takeOut(s *site, standing tlsa.RRset, gone []tlsa.Association) {
	copied, read := x.seen.Copies[s.target]
	switch {
	case !x.mayWrite(s, gone):
	case !read:
		x.needCopy(s.target)
	case !copied.Known():
		x.waitAt(s, copyUnknown(s.target, copied.Err))
	case copied.Value.Same(standing): // else the next pass decides by what really stands
		x.change(s, Change{Before: copied.Value, After: copied.Value.Without(gone...)}, func(c Change) Action { return Retire{c} })
	}
}

// surplus are records of ours that no lineage wants.
func (x *pass) surplus(s *site) []tlsa.Association {
	var surplus []tlsa.Association
	for _, owner := range s.owners {
		for _, a := range x.Owners[owner].Ours {
			if !slices.ContainsFunc(x.wants(s), func(w want) bool { return w.Association == a }) {
				surplus = append(surplus, a)
			}
		}
	}
	return union(nil, surplus)
}

// needed says who still needs some records in the RRset, nil if nobody does.
func (x *pass) needed(s *site, standing tlsa.RRset, as ...tlsa.Association) *Reason {
	left := standing.Without(as...)
	if left.Denial() {
		r := reason(CodeStillNeeded, "%s is the last record: without it DANE would be off (hint: tlsaroll withdraw LINEAGE takes it out)", shortly(as))
		return &r
	}
	window := x.window(s)
	for _, owner := range s.owners {
		if next := x.sufferingSuccessor(standing, left, owner); next != nil {
			r := reason(CodeStillNeeded, "%s stays until %s is live: without it the wait would start again", shortly(as), next.ID().Short())
			return &r
		}
		l := x.Owners[owner]
		asked := false
		for _, p := range l.Presented {
			if chain := x.chain(p.Chain); chain != nil && !x.suffers(meeting{standing, chain}, meeting{left, chain}, owner) {
				continue
			}
			if r := l.gone(p, window, x.now); r != nil {
				// a look may change that, but for a chain that is there to stay
				x.unseen = x.unseen || r.Until.IsZero() && (window == 0 || l.presenting(p.Chain) == "")
				return r
			}
			asked = true
		}
		if asked {
			continue
		}
		if r := l.sinceThen(x.now.Add(-evidenceAge(x.policy.Timing))); r != nil {
			x.unseen = x.unseen || r.Until.IsZero()
			return r
		}
		if r := l.justLooked(x.now); r != nil {
			x.unseen = x.unseen || r.Until.IsZero()
			return r
		}
	}
	return nil
}

// window is for how long no endpoint may have presented a chain that needs a
// record that leaves: none in an emergency, nor where room is short.
func (x *pass) window(s *site) time.Duration {
	if x.pressed[s.target] > 0 || slices.ContainsFunc(s.lineages, x.emergency) {
		return 0
	}
	return x.policy.Timing.Retire
}

// lost disowns a record that is not there any more, nor on any server: someone
// took it out.
func (x *pass) lost(s *site, a tlsa.Association) {
	x.update(s, func(l *Ledger) {
		if slices.Contains(l.Ours, a) && !l.somewhere(a) {
			l.disown(a)
		}
	})
}

// retiring reports whether records of the lineage's past still stand.
func (x *pass) retiring(name string) bool {
	for _, s := range x.sites() {
		if !slices.Contains(s.lineages, name) {
			continue
		}
		l := x.ledger(s)
		if slices.ContainsFunc(l.Retired, l.somewhere) || slices.ContainsFunc(x.surplus(s), l.somewhere) {
			return true
		}
	}
	return false
}

// sufferingSuccessor is a chain on its way that an RRset would match worse if it
// became left, nil if there is none.
func (x *pass) sufferingSuccessor(standing, left tlsa.RRset, owner tlsa.Owner) *tlsa.Chain {
	for _, u := range x.users[owner] {
		if next := x.chain(x.Lineages[u.lineage].Successor); next != nil && x.suffers(meeting{standing, next}, meeting{left, next}, owner) {
			return next
		}
	}
	return nil
}
