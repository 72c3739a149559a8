package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Names reports whether a chain is named anywhere in the state: live, on its
// way, held, or presented lately.
func (s State) Names(id tlsa.ChainID) bool {
	for _, l := range s.Lineages {
		if slices.Contains(l.chains(), id) {
			return true
		}
	}
	for _, o := range s.Owners {
		if slices.ContainsFunc(o.Presented, func(p PresentedChain) bool { return p.Chain == id }) {
			return true
		}
		for _, a := range o.Addresses {
			if slices.ContainsFunc(a.Cells, func(c Cell) bool { return c.Chain == id }) {
				return true
			}
		}
	}
	return false
}

// chains are those that a lineage names; some may be "".
func (l Lineage) chains() []tlsa.ChainID {
	ids := []tlsa.ChainID{l.Live, l.Previous, l.Adopting, l.Successor, l.Queued, l.Staged}
	if l.Swapping != nil {
		ids = append(ids, l.Swapping.From, l.Swapping.To)
	}
	if l.Held != nil {
		ids = append(ids, l.Held.Chain)
	}
	return ids
}

// Gives reports whether some server may be giving the association now.
func (l Ledger) Gives(a tlsa.Association) bool {
	return slices.ContainsFunc(l.Versions, func(v Version) bool { return len(v.By) > 0 && v.RRset.Has(a) })
}
