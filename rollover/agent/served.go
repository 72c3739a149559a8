package agent

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// target is one address of one endpoint, to be probed once for all lineages
// that have it.
type target struct {
	url     string
	address netip.AddrPort
}

func (t target) key() string { return t.url + " " + t.address.String() }

// probe looks at what every address of every endpoint presents.
func (a *Agent) probe(ctx context.Context, g *group, dns *lookup.Pass, seen *rollover.Observation) {
	var targets []target
	for _, name := range g.names {
		view := seen.Lineages[name]
		view.Addresses = map[string]rollover.Sight[[]rollover.Address]{}
		for _, e := range g.policy.Lineages[name].Endpoints {
			at := a.addresses(ctx, dns, a.lineages[name], e)
			view.Addresses[e.URL] = at
			for _, address := range at.Value {
				if ap, err := netip.ParseAddrPort(address.Address); err == nil {
					targets = append(targets, target{e.URL, ap})
				}
			}
		}
		seen.Lineages[name] = view
	}
	results := a.probeAll(ctx, targets, seen)
	for _, name := range g.names {
		view := seen.Lineages[name]
		for url, at := range view.Addresses {
			for _, address := range at.Value {
				view.Served = append(view.Served, results[url+" "+address.Address]...)
			}
		}
		seen.Lineages[name] = view
	}
}

func (a *Agent) probeAll(ctx context.Context, targets []target, seen *rollover.Observation) map[string][]rollover.Presented {
	slices.SortFunc(targets, func(x, y target) int { return strings.Compare(x.key(), y.key()) })
	var mu sync.Mutex
	out := map[string][]rollover.Presented{}
	var wait errgroup.Group
	wait.SetLimit(sideBySide)
	for _, t := range slices.Compact(targets) {
		key := t.key()
		wait.Go(func() error {
			presented, chains := a.probeOne(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			out[key] = presented
			for _, c := range chains {
				seen.Chains[c.ID()] = c
			}
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	return out
}

func (a *Agent) probeOne(ctx context.Context, t target) (out []rollover.Presented, chains []*tlsa.Chain) {
	e, err := probe.ParseURL(t.url)
	if err != nil {
		return []rollover.Presented{{URL: t.url, Address: t.address.String(), Outcome: rollover.Unreached, Err: err.Error()}}, nil
	}
	for _, r := range a.prober.Address(ctx, e, t.address) {
		p := rollover.Presented{URL: t.url, Address: t.address.String(), SNI: r.Offer.SNI, Algorithm: r.Offer.Algorithm, Outcome: outcome(r)}
		if p.Algorithm == "" {
			p.Algorithm = "any"
		}
		if r.Err != nil {
			p.Err = r.Err.Error()
		}
		if r.Chain != nil && p.Outcome == rollover.Served {
			p.Chain = r.Chain.ID()
			chains = append(chains, r.Chain)
		}
		out = append(out, p)
	}
	return out, chains
}

func outcome(r probe.Result) rollover.PresentedOutcome {
	switch {
	case r.Outcome == probe.Served:
		return rollover.Served
	case r.Outcome == probe.NotOffered, r.Outcome == probe.AlgorithmUntested:
		return rollover.NotOffered
	case r.Outcome.Broken():
		return rollover.NoTLS
	}
	return rollover.Unreached
}

// addresses are where an endpoint is reached: as configured, else its A and AAAA,
// and the nodes that DNS may not show.
func (a *Agent) addresses(ctx context.Context, dns *lookup.Pass, l Lineage, e rollover.Endpoint) rollover.Sight[[]rollover.Address] {
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
