package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// publish asks for every association that should stand and does not.
func (x *pass) publish() {
	for _, s := range x.sites() {
		if !x.changing[s.target] {
			x.publishAt(s)
		}
	}
}

func (x *pass) publishAt(s *site) {
	wants := ranked(append(slices.Clone(x.wants(s)), x.inWindow(s)...))
	copied, read := x.seen.Copies[s.target]
	switch {
	case !read:
		if lacking := x.lacking(s, wants); x.mayWrite(s, lacking) {
			x.needCopy(s.target)
		}
		return
	case !copied.Known():
		x.waitAt(s, copyUnknown(s.target, copied.Err))
		return
	}
	base := copied.Value
	adds := x.fitting(s, base, x.admissible(s, base, wants))
	if !x.mayWrite(s, associations(adds)) {
		return
	}
	after := base.With(associations(adds)...)
	if base.Denial() {
		after.TTL = x.policy.Lineages[adds[0].lineage].TTL
	}
	x.repairing(s, base, after)
	x.change(s, Change{Before: base, After: after}, func(c Change) Action { return Publish{c} })
}

// lacking is what is wanted, not known to stand, and could be added as far as
// that can be told without reading the provider's copy.
func (x *pass) lacking(s *site, wants []want) []tlsa.Association {
	missing := slices.DeleteFunc(slices.Clone(wants), func(w want) bool {
		return !slices.ContainsFunc(s.owners, func(owner tlsa.Owner) bool {
			l := x.Owners[owner]
			return !l.stands(w.Association, x.now)
		})
	})
	if len(missing) == 0 {
		return nil
	}
	l := x.ledger(s)
	guess := l.latest().Without(associations(missing)...)
	return associations(x.admissible(s, guess, wants))
}
