package rollover

import (
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// unlistedOwnersAgree blocks while some other name of the certificates has an
// RRset that vouches for the live chain and not for the next (DESIGN 4.6). Of a
// name that nobody listed an unknown first version counts for nothing: nobody
// says that it has ever been asked for.
func (x *pass) unlistedOwnersAgree(name string, next *tlsa.Chain) []Reason {
	live := x.chain(x.Lineages[name].Live)
	var rs []Reason
	for _, owner := range x.unlisted(name, live, next) {
		l := x.Owners[owner]
		switch {
		case l.Err != "":
			rs = append(rs, reason(CodeUnlistedUnknown, "whether %s has TLSA records is not known: %s (hint: list it under endpoints: of the lineage, or name it, or its host, under ignore: if it may fail)", owner, l.Err).of(string(owner)))
		case live != nil && x.vouchesForLiveOnly(owner, live, next):
			rs = append(rs, reason(CodeUnlistedOwner, "%s vouches for the live certificate and not for %s (hint: list it under endpoints: of the lineage, or name it under ignore: if it may fail)", owner, next.ID().Short()).of(string(owner)))
		}
	}
	return rs
}

// unlisted are the names of two chains that have a ledger and that nobody listed, but for
// those that may fail, sorted.
func (x *pass) unlisted(name string, live, next *tlsa.Chain) []tlsa.Owner {
	policy := x.policy.Lineages[name]
	return slices.DeleteFunc(slices.Sorted(maps.Keys(x.Owners)), func(owner tlsa.Owner) bool {
		_, ours := x.users[owner]
		return ours || policy.Ignores(owner) || !concerns(owner, live, next)
	})
}

func (x *pass) vouchesForLiveOnly(owner tlsa.Owner, live, next *tlsa.Chain) bool {
	l := x.Owners[owner]
	w := x.waits(&l)
	ref := tlsa.Reference{Names: []string{owner.Base()}, Time: x.now, SMTP: owner.Port() == 25}
	return slices.ContainsFunc(l.Versions, func(v Version) bool {
		return !v.Unknown && !v.RRset.Denial() && w.alive(v, x.now) && v.RRset.Authenticates(live, ref) == nil && v.RRset.Authenticates(next, ref) != nil
	})
}

// concerns reports whether the owner's base domain is a name of either chain.
func concerns(owner tlsa.Owner, live, next *tlsa.Chain) bool {
	base := owner.Base()
	return base != "" && (live != nil && live.IsFor(base) || next != nil && next.IsFor(base))
}
