package rollover_test

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// shown are the chains that the servers present now.
func shown(w *sim.World) []*tlsa.Chain {
	var chains []*tlsa.Chain
	for _, h := range w.Hosts {
		for _, n := range h.Nodes {
			if chain := w.Chains[n.Served]; chain != nil {
				chains = append(chains, chain)
			}
		}
	}
	return chains
}

// client is how clients of the one endpoint judge.
func client(w *sim.World) tlsa.Reference {
	return tlsa.Reference{Names: []string{sim.MX}, Time: w.Now, SMTP: true}
}

// matched reports whether some of the records matches a chain.
func matched(as []tlsa.Association, chain *tlsa.Chain, ref tlsa.Reference) bool {
	return slices.ContainsFunc(as, func(a tlsa.Association) bool {
		_, err := chain.Match(a, ref)
		return err == nil
	})
}

// of are the records of an RRset that have some combinations.
func of(s tlsa.RRset, ps ...tlsa.Params) []tlsa.Association {
	return slices.DeleteFunc(slices.Clone(s.Associations), func(a tlsa.Association) bool { return !slices.Contains(ps, a.Params) })
}

// unmatched says which combination of an RRset matches none of its records with a
// chain that is presented, "" if there is none.
func unmatched(w *sim.World, s tlsa.RRset) string {
	ref := client(w)
	for _, chain := range shown(w) {
		for _, p := range s.Combinations(ref) {
			if !matched(of(s, p), chain, ref) {
				return fmt.Sprintf("no %s of %v matches %s, which is presented", p, s.Associations, chain.ID().Short())
			}
		}
	}
	return ""
}

// unmatchedInCaches asks the same of every answer that somebody may hold.
func unmatchedInCaches(w *sim.World) func() string {
	return func() string {
		for _, h := range w.Held(sim.Owner25(w.T)) {
			if why := unmatched(w, h); why != "" {
				return why
			}
		}
		return ""
	}
}

// refused names a client that refuses a chain presented, whatever answer it
// holds: there is one for every set of combinations that may be supported, with
// digest agility and without.
func refused(w *sim.World) func() string {
	return func() string {
		ref := client(w)
		for _, h := range w.Held(sim.Owner25(w.T)) {
			all := h.Combinations(ref)
			for set := 1; set < 1<<len(all); set++ {
				var supported []tlsa.Params
				for i, p := range all {
					if set>>i&1 == 1 {
						supported = append(supported, p)
					}
				}
				as := of(h, supported...)
				for _, chain := range shown(w) {
					if !matched(as, chain, ref) || tlsa.NewRRset(0, as...).Authenticates(chain, ref) != nil {
						return fmt.Sprintf("a client that supports %v refuses %s by %v", supported, chain.ID().Short(), as)
					}
				}
			}
		}
		return ""
	}
}

// lacking are the answers that somebody may hold and that lack a record.
func lacking(w *sim.World, owner tlsa.Owner, a tlsa.Association) []tlsa.RRset {
	var all []tlsa.RRset
	for _, h := range w.Held(owner) {
		if !h.Denial() && !h.Has(a) {
			all = append(all, h)
		}
	}
	return all
}
