package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Refusal is a sender that cannot deliver: the answer it holds does not match
// what an address presents, in the plain sense of a DANE client.
type Refusal struct {
	Owner   tlsa.Owner
	Address string
	Chain   tlsa.ChainID // "" where there is no TLS
	Answer  tlsa.RRset
}

// Refusals are those of this moment. Until is when the first answer leaves a
// cache that is held there only, zero if none does.
func (w *World) Refusals() (all []Refusal, until time.Time) {
	for _, owner := range w.endpointOwners() {
		held := w.held(w.written(owner))
		for address, id := range w.shows(owner) {
			for _, h := range held {
				if h.rrset.Denial() || id != "" && h.rrset.Authenticates(w.Chains[id], w.reference(owner)) == nil {
					continue
				}
				all = append(all, Refusal{owner, address, id, h.rrset})
				if slices.Contains(w.caches[h.owner], h) {
					until = earliest(until, h.until)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		return strings.Compare(fmt.Sprint(a.Owner, a.Address, a.Chain, a.Answer.TTL, a.Answer), fmt.Sprint(b.Owner, b.Address, b.Chain, b.Answer.TTL, b.Answer))
	})
	return all, until
}

// shows is what each address of an owner's endpoints presents now to clients that
// come to it, by lineage where several share one.
func (w *World) shows(owner tlsa.Owner) map[string]tlsa.ChainID {
	out := map[string]tlsa.ChainID{}
	for name, h := range w.Hosts {
		if !slices.ContainsFunc(w.Policy.Lineages[name].Endpoints, func(e rollover.Endpoint) bool { return slices.Contains(e.Owners(), owner) }) {
			continue
		}
		for address, n := range h.Nodes {
			if n.lonely {
				continue // no client comes
			}
			if len(w.Hosts) > 1 {
				address += " (" + h.Algorithm + ")"
			}
			out[address] = n.Served
		}
	}
	return out
}
