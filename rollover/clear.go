package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// clear takes out whole combinations that stand, are ours, and cannot match a
// successor (DESIGN 4.7; RFC 7671, section 8.2): no record could ever be added to
// them that does.
func (x *pass) clear() {
	for _, s := range x.sites() {
		for _, name := range s.lineages {
			if next := x.chain(x.Lineages[name].Successor); next != nil && !x.changing[s.target] && !x.withdrawn(s) {
				x.clearAt(s, next)
			}
		}
	}
}

func (x *pass) clearAt(s *site, next *tlsa.Chain) {
	l := x.ledger(s)
	standing := l.latest()
	var out []tlsa.Association
	for _, p := range combinations(standing) {
		if !x.hopeless(p, standing, next, s) {
			continue
		}
		for _, a := range standing.Associations {
			if a.Params != p {
				continue
			}
			if !slices.Contains(l.Ours, a) {
				x.waitAt(s, reason(CodeForeignCombo, "%s: combination %s cannot match chain %s, and %s is not ours to take out (hint: take it out, or make it ours: tlsaroll adopt %s --dry-run shows it whole, with the option that does)", s.target, p, next.ID().Short(), short(a), s.somebody()).of(string(s.target)))
				return
			}
			out = append(out, a)
		}
	}
	if len(out) > 0 && x.dispensable(s, standing, out) && !x.frozenAt(s) {
		x.takeOut(s, standing, out)
	}
}

// hopeless reports whether a combination fails next at some endpoint and no
// record that is wanted would help. A pair that is not valid yet does no harm before it is.
func (x *pass) hopeless(p tlsa.Params, standing tlsa.RRset, next *tlsa.Chain, s *site) bool {
	best := standing.With(associations(x.wants(s))...)
	begin := latest(x.now, next.Leaf().NotBefore)
	for _, owner := range s.owners {
		for _, u := range x.users[owner] {
			ref := u.endpoint.reference(owner, begin)
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

// dispensable reports whether every chain that is or may soon be presented does
// as well without some records. Where nothing else would be left, the bridge is
// not there yet.
func (x *pass) dispensable(s *site, standing tlsa.RRset, out []tlsa.Association) bool {
	left := standing.Without(out...)
	if left.Denial() || x.swappingAt(s) {
		return false
	}
	for _, owner := range s.owners {
		for _, id := range x.chainsAt(owner) {
			if chain := x.chain(id); chain == nil || x.suffers(meeting{standing, chain}, meeting{left, chain}, owner) {
				x.waitAt(s, reason(CodeStillNeeded, "%s: combination %s, which the successor cannot match, stays: chain %s needs it", s.target, out[0].Params, id.Short()))
				return false
			}
		}
	}
	return true
}
