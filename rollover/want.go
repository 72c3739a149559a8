package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Why an association should stand, in the order in which room is given.
type class int

const (
	forLive      class = iota // a chain that is or may be presented
	forSuccessor              // the chain to come
	forStandby                // a key published ahead
	forQueued                 // the chain after the next
	forAhead                  // an issuer published ahead: it spares a wait, and no more
)

// want is an association that should stand somewhere.
type want struct {
	tlsa.Association
	class   class
	lineage string
}

// wants are the associations that should stand at a site, most important first.
// They are known once pairs are admitted and swaps judged, and stay the same for
// the rest of the pass.
func (x *pass) wants(s *site) []want {
	if s.wanted == nil {
		s.wanted = []want{}
		if x.withdrawn(s) {
			return s.wanted
		}
		for _, name := range s.lineages {
			s.wanted = append(s.wanted, x.wantedBy(name, s)...)
		}
		for _, id := range x.unmatchedHere(s, s.wanted) {
			s.wanted = append(s.wanted, wanted(forLive, s.lineages[0], x.leafRecord(id))...)
		}
		s.wanted = ranked(s.wanted)
	}
	return s.wanted
}

func (x *pass) wantedBy(name string, s *site) []want {
	l, p := x.Lineages[name], x.policy.Lineages[name]
	wants := wanted(forLive, name, x.needs(name, l.Live))
	if l.Successor != "" {
		wants = append(wants, wanted(forSuccessor, name, x.needs(name, l.Successor))...)
		wants = append(wants, wanted(forQueued, name, x.needs(name, l.Queued))...)
	}
	if sw := l.Swapping; sw != nil {
		wants = append(wants, wanted(forLive, name, x.needs(name, sw.From))...)
		wants = append(wants, wanted(forLive, name, x.needs(name, sw.To))...)
	}
	if x.needsBridge(name, s.owners) {
		wants = append(wants, wanted(forLive, name, x.leafRecord(l.Live))...)
		wants = append(wants, wanted(forSuccessor, name, x.leafRecord(l.Successor))...)
	}
	if l.Standby != (tlsa.Association{}) {
		wants = append(wants, want{l.Standby, forStandby, name})
	}
	return append(wants, wanted(forAhead, name, x.issuersAhead(p, l))...)
}

func wanted(c class, lineage string, as []tlsa.Association) []want {
	wants := make([]want, len(as))
	for i, a := range as {
		wants[i] = want{a, c, lineage}
	}
	return wants
}

// ranked orders wants by class and keeps the first of each association.
func ranked(wants []want) []want {
	slices.SortStableFunc(wants, func(a, b want) int { return int(a.class) - int(b.class) })
	kept := wants[:0]
	for _, w := range wants {
		if !slices.ContainsFunc(kept, func(k want) bool { return k.Association == w.Association }) {
			kept = append(kept, w)
		}
	}
	return kept
}

// leafRecord is the 3 1 1 of a chain.
func (x *pass) leafRecord(id tlsa.ChainID) []tlsa.Association {
	chain := x.chain(id)
	if chain == nil {
		return nil
	}
	a, err := chain.Association(tlsa.EE, 0)
	if err != nil {
		return nil
	}
	return []tlsa.Association{a}
}

// inWindow are records of ours that a chain inside the retire window needs: if
// someone takes one out, it is published again (DESIGN 4.8).
func (x *pass) inWindow(s *site) []want {
	var wants []want
	if x.withdrawn(s) {
		return wants
	}
	for _, owner := range s.owners {
		l := x.Owners[owner]
		for _, p := range l.Presented {
			chain := x.chain(p.Chain)
			if chain == nil || !x.inSight(&l, p) {
				continue
			}
			for _, a := range l.Ours {
				if x.matches(a, chain, owner) {
					wants = append(wants, want{a, forLive, s.lineages[0]})
				}
			}
		}
	}
	return wants
}

func associations(wants []want) []tlsa.Association {
	as := make([]tlsa.Association, len(wants))
	for i, w := range wants {
		as[i] = w.Association
	}
	return as
}

// union joins two sorted sets, of which the second need not be sorted.
func union(a, b []tlsa.Association) []tlsa.Association {
	if len(b) == 0 {
		return a
	}
	return tlsa.NewRRset(0, append(slices.Clone(a), b...)...).Associations
}
