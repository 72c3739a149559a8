package rollover

import (
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// clear takes out whole combinations that stand, are ours, and cannot match a
// successor (DESIGN 4.7; RFC 7671, section 8.2): no record could ever be added to
// them that does.
func (x *pass) clear() {
	targets := x.targets()
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		owners := targets[target]
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
	for _, p := range combinations(standing) {
		if !x.hopeless(p, standing, next, owners) {
			continue
		}
		for _, a := range standing.Associations {
			if a.Params != p {
				continue
			}
			if !slices.Contains(l.Ours, a) {
				r := reason(CodeForeignCombo, "%s: combination %s cannot match chain %s, and %s is not ours to take out (hint: take it out, or tlsaroll adopt --record)", target, p, next.ID().Short(), short(a))
				x.waitAt(owners, r)
				x.warnAt(owners, CodeForeignCombo, Danger, r.Text)
				return
			}
			out = append(out, a)
		}
	}
	if len(out) > 0 {
		x.takeOut(target, owners, standing, out)
	}
}

// hopeless reports whether a combination fails next at some endpoint and no
// record that is wanted would help.
func (x *pass) hopeless(p tlsa.Params, standing tlsa.RRset, next *tlsa.Chain, owners []tlsa.Owner) bool {
	best := standing.With(associations(x.wants(owners))...)
	for _, owner := range owners {
		for _, u := range x.users[owner] {
			ref := u.endpoint.reference(x.now)
			if usable(standing, p, ref) && best.VouchesFor(p, next, ref) != nil {
				return true
			}
		}
	}
	return false
}

// usable reports whether a client can use some record of the combination.
func usable(s tlsa.RRset, p tlsa.Params, ref tlsa.Reference) bool {
	return slices.Contains(s.Combinations(ref), p)
}

// combinations are those of an RRset's records, usable or not, sorted.
func combinations(s tlsa.RRset) []tlsa.Params {
	var ps []tlsa.Params
	for _, a := range s.Associations {
		if !slices.Contains(ps, a.Params) {
			ps = append(ps, a.Params)
		}
	}
	return ps
}

// takeOut asks for a combination to be taken out, if every chain that is or may
// soon be presented does as well without it. Where nothing else would be left,
// the bridge is not there yet.
func (x *pass) takeOut(target tlsa.Owner, owners []tlsa.Owner, standing tlsa.RRset, out []tlsa.Association) {
	left := standing.Without(out...)
	if left.Denial() || x.swappingAt(owners) || x.frozenAt(owners) || !x.mayWrite(target, owners, []want{{Association: out[0]}}) {
		return
	}
	for _, owner := range owners {
		for _, id := range x.chainsAt(owner) {
			if chain := x.chain(id); chain == nil || x.suffers(meeting{standing, chain}, meeting{left, chain}, owner) {
				x.waitAt(owners, reason(CodeStillNeeded, "%s: combination %s, which the successor cannot match, stays: chain %s needs it", target, out[0].Params, id.Short()))
				return
			}
		}
	}
	copied, read := x.seen.Copies[target]
	switch {
	case !read:
		x.needCopy(target)
	case !copied.Known():
		x.waitAt(owners, copyUnknown(target, copied.Err))
	case copied.Value.Same(standing):
		x.change(target, owners, Change{Before: copied.Value, After: copied.Value.Without(out...)}, func(c Change) Action { return Retire{c} })
	}
}
