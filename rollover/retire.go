package rollover

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// retire takes out what no lineage needs and no chain presented lately needs
// (DESIGN 4.8). There is no second wait for caches: they have the successor's
// records since before the swap. What must be seen is that nobody presents the
// old chain any more.
func (x *pass) retire() {
	targets := x.targets()
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		x.retireAt(target, targets[target])
	}
}

func (x *pass) retireAt(target tlsa.Owner, owners []tlsa.Owner) {
	x.forgetRetired(owners)
	surplus := x.surplus(owners)
	if len(surplus) == 0 || x.changing[target] || x.swappingAt(owners) {
		return
	}
	l := x.Owners[owners[0]]
	standing := l.latest()
	after := standing
	for _, a := range surplus {
		if !standing.Has(a) {
			x.disown(owners, a)
			continue
		}
		if r := x.needed(owners, after, a); r != nil {
			x.waitAt(owners, *r)
			continue
		}
		after = after.Without(a)
	}
	if len(after.Associations) == len(standing.Associations) {
		return
	}
	copied, read := x.seen.Copies[target]
	switch {
	case x.frozenAt(owners):
	case !read:
		if x.mayWrite(target, owners, []want{{Association: surplus[0]}}) {
			x.needCopy(target)
		}
	case !copied.Known():
		x.waitAt(owners, reason(CodeCopyUnknown, "%s: the provider's own copy cannot be read: %s", target, copied.Err))
	case !copied.Value.Same(standing):
		x.lookNow = true // the ledger has it now: the next pass decides on what really stands
	case x.mayWrite(target, owners, []want{{Association: surplus[0]}}):
		gone := after.Missing(standing.Associations...)
		x.change(target, owners, Change{Before: copied.Value, After: copied.Value.Without(gone...)}, func(c Change) Action { return Retire{c} })
	}
}

// surplus are records of ours that no lineage wants.
func (x *pass) surplus(owners []tlsa.Owner) []tlsa.Association {
	var ours []tlsa.Association
	for _, owner := range owners {
		ours = union(ours, x.Owners[owner].Ours)
	}
	if len(ours) == 0 {
		return nil
	}
	wants := x.wants(owners)
	return slices.DeleteFunc(ours, func(a tlsa.Association) bool {
		return slices.ContainsFunc(wants, func(w want) bool { return w.Association == a })
	})
}

// needed says who still needs a in the RRset, nil if nobody does.
func (x *pass) needed(owners []tlsa.Owner, s tlsa.RRset, a tlsa.Association) *Reason {
	left := s.Without(a)
	if left.Denial() {
		r := reason(CodeStillNeeded, "%s is the last record: without it DANE would be off (hint: tlsaroll withdraw)", short(a))
		return &r
	}
	for _, owner := range owners {
		l := x.Owners[owner]
		asked := false
		for _, p := range l.Presented {
			chain := x.chain(p.Chain)
			if chain == nil || !x.worse(s, left, chain, owner) {
				continue
			}
			if r := l.gone(p, x.window(owners), x.now); r != nil {
				x.unseen = x.unseen || r.Code == CodeEndpointUnseen
				return r
			}
			asked = true
		}
		if !asked {
			if r := l.sinceThen(x.now.Add(-evidenceAge(x.policy.Timing))); r != nil {
				x.unseen = true
				return r
			}
		}
	}
	return nil
}

// worse reports whether a chain's match suffers when an RRset becomes left: a
// client that was content is not, or a combination that matched does not.
func (x *pass) worse(s, left tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return !x.fails(s, chain, owner) && x.fails(left, chain, owner) ||
		!x.refuses(s, chain, owner) && x.refuses(left, chain, owner)
}

// window is for how long no endpoint may have presented a chain that needs a
// record that leaves: none in an emergency, nor where room is short.
func (x *pass) window(owners []tlsa.Owner) time.Duration {
	short := slices.ContainsFunc(owners, func(owner tlsa.Owner) bool { return x.pressed[x.Owners[owner].Target] })
	if short || slices.ContainsFunc(x.usersAt(owners), func(name string) bool { return x.seen.Lineages[name].Orders.Emergency }) {
		return 0
	}
	return x.policy.Timing.Retire
}

// swappingAt reports whether a swap is under way at one of the owner names.
func (x *pass) swappingAt(owners []tlsa.Owner) bool {
	return slices.ContainsFunc(x.usersAt(owners), func(name string) bool { return x.Lineages[name].Swapping != nil })
}

func (x *pass) frozenAt(owners []tlsa.Owner) bool {
	for _, name := range x.usersAt(owners) {
		if rs := x.notFrozen(name, nil); len(rs) > 0 {
			x.wait(name, rs...)
			return true
		}
	}
	return false
}

// disown drops a record that is not there any more: someone took it out.
func (x *pass) disown(owners []tlsa.Owner, a tlsa.Association) {
	for _, owner := range owners {
		l := x.Owners[owner]
		l.Ours = slices.DeleteFunc(slices.Clone(l.Ours), func(b tlsa.Association) bool { return a == b })
		x.Owners[owner] = l
	}
}

// forgetRetired drops what was taken out and is seen gone everywhere.
func (x *pass) forgetRetired(owners []tlsa.Owner) {
	for _, owner := range owners {
		l := x.Owners[owner]
		if len(l.Retired) == 0 {
			continue
		}
		l.Retired = slices.DeleteFunc(slices.Clone(l.Retired), func(a tlsa.Association) bool {
			return !slices.ContainsFunc(l.Versions, func(v Version) bool { return v.current() && v.RRset.Has(a) })
		})
		x.Owners[owner] = l
	}
}

// retiring reports whether records of the lineage's past still stand.
func (x *pass) retiring(name string) bool {
	for _, owner := range x.ownersOf(name) {
		if len(x.Owners[owner].Retired) > 0 || len(x.surplus([]tlsa.Owner{owner})) > 0 {
			return true
		}
	}
	return false
}
