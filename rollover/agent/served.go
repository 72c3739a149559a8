package agent

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// target is one address of one endpoint, to be probed once for all lineages
// that have it.
type target struct {
	url     string
	address netip.AddrPort
}

// presented is what was seen at the endpoints of one lineage.
type presented struct {
	addresses map[string]rollover.Sight[[]rollover.Address] // by URL
	served    []rollover.Presented
}

// visit is one look at endpoints.
type visit struct {
	dns    Looker
	names  []string // lineages
	policy rollover.Policy
	slots  slots // for connections
	which  func(target) bool
}

// visit finds every address of every endpoint and looks at what those present
// that v chooses. All that each presented is in the last result.
func (a *Agent) visit(ctx context.Context, v visit) (map[string]presented, map[tlsa.ChainID]*tlsa.Chain, map[target]audit.Address) {
	seen := map[string]presented{}
	targets := map[target]bool{}
	leave, err := a.hosts.enter(ctx)
	if err != nil {
		return seen, nil, nil // nobody wants to know any more
	}
	for _, name := range v.names {
		p := presented{addresses: map[string]rollover.Sight[[]rollover.Address]{}}
		for _, e := range v.policy.Lineages[name].Endpoints {
			at := a.addresses(ctx, v.dns, a.lineages[name], e)
			p.addresses[e.URL] = at
			for _, t := range targetsOf(e.URL, at) {
				if v.which(t) {
					targets[t] = true
				}
			}
		}
		seen[name] = p
	}
	leave()
	addresses := a.probeAll(ctx, v.slots, targets)
	chains := map[tlsa.ChainID]*tlsa.Chain{}
	for name, p := range seen {
		for url, at := range p.addresses {
			for _, t := range targetsOf(url, at) {
				p.served = append(p.served, presentedAt(t, addresses[t], chains)...)
			}
		}
		slices.SortStableFunc(p.served, func(x, y rollover.Presented) int {
			return cmp.Or(cmp.Compare(x.URL, y.URL), cmp.Compare(x.Address, y.Address))
		})
		seen[name] = p
	}
	return seen, chains, addresses
}

func targetsOf(url string, at rollover.Sight[[]rollover.Address]) []target {
	var targets []target
	for _, address := range at.Value {
		if ap, err := netip.ParseAddrPort(address.Address); err == nil {
			targets = append(targets, target{url, ap})
		}
	}
	return targets
}

func (a *Agent) probeAll(ctx context.Context, slots slots, targets map[target]bool) map[target]audit.Address {
	var mu sync.Mutex
	out := map[target]audit.Address{}
	var wait errgroup.Group
	for t := range targets {
		leave, err := slots.enter(ctx)
		if err != nil {
			break // nobody wants to know any more
		}
		wait.Go(func() error {
			defer leave()
			address := a.probeOne(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			out[t] = address
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	return out
}

func (a *Agent) probeOne(ctx context.Context, t target) audit.Address {
	e, err := probe.ParseURL(t.url)
	if err != nil {
		return audit.Address{Address: t.address, Handshakes: []audit.Handshake{{Algorithm: facts.AnyAlgorithm, Outcome: rollover.Unreached, Err: err.Error()}}}
	}
	trusted := func(*tlsa.Chain) string { return "" } // whether browsers would believe a chain is for a check to find out
	return facts.Address(t.address, a.rooms.Prober.Address(ctx, e, t.address), trusted)
}

// presentedAt is what an address presented, as far as the rules go by it; the chains
// are entered among those given.
func presentedAt(t target, address audit.Address, chains map[tlsa.ChainID]*tlsa.Chain) (out []rollover.Presented) {
	for _, h := range address.Handshakes {
		p := rollover.Presented{URL: t.url, Address: t.address.String(), SNI: h.SNI, Algorithm: h.Algorithm, Outcome: h.Outcome, Err: h.Err}
		if h.Chain != nil && p.Outcome == rollover.Served {
			p.Chain = h.Chain.ID()
			chains[p.Chain] = h.Chain
		}
		out = append(out, p)
	}
	return out
}

// addresses are where an endpoint is reached: as configured, else its A and AAAA,
// and the nodes that DNS may not show.
func (a *Agent) addresses(ctx context.Context, dns Looker, l Lineage, e rollover.Endpoint) rollover.Sight[[]rollover.Address] {
	var at []rollover.Address
	for _, ap := range l.Addresses[e.URL] {
		at = append(at, rollover.Address{Address: ap.String(), Local: true})
	}
	if len(at) == 0 {
		host := dns.Host(ctx, e.Host)
		for _, set := range []lookup.AddressSet{host.IPv4, host.IPv6} {
			if set.Err != "" {
				return rollover.Unseen[[]rollover.Address](set.Err)
			}
			for _, ip := range set.Addresses {
				at = append(at, rollover.Address{Address: netip.AddrPortFrom(ip, e.Port).String(), TTL: set.TTL, Local: a.isLocal(ip)})
			}
		}
		if host.Err != "" {
			return rollover.Unseen[[]rollover.Address](host.Err)
		}
	}
	for _, node := range l.Nodes {
		address := netip.AddrPortFrom(node, e.Port).String()
		if !slices.ContainsFunc(at, func(x rollover.Address) bool { return x.Address == address }) {
			at = append(at, rollover.Address{Address: address, Local: a.isLocal(node)})
		}
	}
	return rollover.Seen(at)
}

func (a *Agent) isLocal(ip netip.Addr) bool {
	return a.cfg.Local != nil && slices.Contains(a.cfg.Local(), ip.Unmap())
}
