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
	surplus := x.surplus(owners)
	if len(surplus) == 0 || x.changing[target] || x.swappingAt(owners) {
		return
	}
	l := x.Owners[owners[0]]
	standing := l.latest()
	after := standing
	for _, a := range surplus {
		switch r := x.needed(owners, after, a); {
		case !standing.Has(a):
			x.lost(owners, a)
		case r != nil:
			x.waitAt(owners, *r)
		default:
			after = after.Without(a)
		}
	}
	gone := after.Missing(standing.Associations...)
	if len(gone) == 0 || x.frozenAt(owners) || !x.mayWrite(target, owners, []want{{Association: gone[0]}}) {
		return
	}
	copied, read := x.seen.Copies[target]
	switch {
	case !read:
		x.needCopy(target)
	case !copied.Known():
		x.waitAt(owners, copyUnknown(target, copied.Err))
	case copied.Value.Same(standing): // else the next pass decides by what really stands
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
	window := x.window(owners)
	for _, owner := range owners {
		l := x.Owners[owner]
		asked := false
		for _, p := range l.Presented {
			if chain := x.chain(p.Chain); chain != nil && !x.suffers(meeting{s, chain}, meeting{left, chain}, owner) {
				continue
			}
			if r := l.gone(p, window, x.now); r != nil {
				x.unseen = x.unseen || r.Code == CodeEndpointUnseen
				return r
			}
			asked = true
		}
		if asked {
			continue
		}
		if r := l.sinceThen(x.now.Add(-evidenceAge(x.policy.Timing))); r != nil {
			x.unseen = true
			return r
		}
	}
	return nil
}

// window is for how long no endpoint may have presented a chain that needs a
// record that leaves: none in an emergency, nor where room is short.
func (x *pass) window(owners []tlsa.Owner) time.Duration {
	if slices.ContainsFunc(owners, func(owner tlsa.Owner) bool { return x.pressed[x.Owners[owner].Target] }) ||
		slices.ContainsFunc(x.usersAt(owners), x.emergency) {
		return 0
	}
	return x.policy.Timing.Retire
}

// swappingAt reports whether a swap is under way at one of the owner names.
func (x *pass) swappingAt(owners []tlsa.Owner) bool {
	return slices.ContainsFunc(x.usersAt(owners), func(name string) bool { return x.Lineages[name].Swapping != nil })
}

// frozenAt reports whether a lineage that has an endpoint there is frozen, and
// says so.
func (x *pass) frozenAt(owners []tlsa.Owner) bool {
	for _, name := range x.usersAt(owners) {
		if rs := x.notFrozen(name, nil); len(rs) > 0 {
			x.wait(name, rs...)
			return true
		}
	}
	return false
}

// lost disowns a record that is not there any more, nor on any server: someone
// took it out.
func (x *pass) lost(owners []tlsa.Owner, a tlsa.Association) {
	for _, owner := range owners {
		l := x.Owners[owner]
		if slices.Contains(l.Ours, a) && !l.somewhere(a) {
			l.disown(a)
			x.Owners[owner] = l
		}
	}
}

// retiring reports whether records of the lineage's past still stand.
func (x *pass) retiring(name string) bool {
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if slices.ContainsFunc(l.Retired, l.somewhere) || slices.ContainsFunc(x.surplus([]tlsa.Owner{owner}), l.somewhere) {
			return true
		}
	}
	return false
}
