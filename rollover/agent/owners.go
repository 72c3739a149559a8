package agent

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// sideBySide is how many owner names of one group are looked at at once.
const sideBySide = 8

// views looks at owner names: at every authoritative server and through the
// validating resolver.
func (a *Agent) views(ctx context.Context, g *group, dns Looker, owners map[tlsa.Owner]bool) map[tlsa.Owner]lookup.View {
	sorted := slices.Sorted(maps.Keys(owners))
	views := make([]lookup.View, len(sorted))
	var wait errgroup.Group
	wait.SetLimit(sideBySide)
	for i, owner := range sorted {
		wait.Go(func() error {
			views[i] = dns.Owner(ctx, owner, retained(g.state.Owners[owner])...)
			return nil
		})
	}
	_ = wait.Wait() // failures are part of the views
	out := make(map[tlsa.Owner]lookup.View, len(sorted))
	for i, owner := range sorted {
		out[owner] = views[i]
	}
	return out
}

// retained are the servers that nobody names any more and that caches may still
// ask (DESIGN 4.12).
func retained(l rollover.Ledger) []lookup.Retained {
	var out []lookup.Retained
	for _, s := range l.Servers {
		if s.Unlisted.IsZero() {
			continue
		}
		address, asked, _ := strings.Cut(s.Address, rollover.ForName)
		if at, err := netip.ParseAddrPort(address); err == nil {
			out = append(out, lookup.Retained{Server: lookup.Server{Name: s.Name, Address: at}, NSTTL: s.NSTTL, Asked: tlsa.Owner(asked)})
		}
	}
	return out
}

// excludedIn are the addresses, as ledgers name them, that the configuration
// keeps from being asked.
func excludedIn(views map[tlsa.Owner]lookup.View, s rollover.State) map[string]bool {
	excluded := map[string]bool{}
	for owner, v := range views {
		for _, server := range v.Excluded {
			address := facts.AddressOf(server)
			excluded[address] = true
			for _, known := range s.Owners[owner].Servers {
				if bare, _, _ := strings.Cut(known.Address, rollover.ForName); bare == address {
					excluded[known.Address] = true
				}
			}
		}
	}
	return excluded
}

// ownerView is what was seen of an owner name, and which of our providers holds it.
func (a *Agent) ownerView(policy rollover.Policy, owner tlsa.Owner, v lookup.View) rollover.OwnerView {
	out := facts.Owner(v)
	if p := a.providerFor(policy, owner, v.Zone); p != nil {
		out.Provider = p.Name
	}
	return out
}
