package agent

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// providerFor finds who holds the zone: the one named for an endpoint, if it can,
// else the one whose zone is the longest match.
func (a *Agent) providerFor(policy rollover.Policy, owner tlsa.Owner, zone string) *Provider {
	if zone == "" {
		return nil
	}
	named := a.namedProviders(policy, owner)
	var best *Provider
	for i := range a.cfg.Providers {
		p := &a.cfg.Providers[i]
		switch {
		case p.Zone != "" && p.Zone != zone:
		case slices.Contains(named, p.Name):
			return p
		case best == nil || len(p.Zone) > len(best.Zone):
			best = p
		}
	}
	return best
}

func (a *Agent) namedProviders(policy rollover.Policy, owner tlsa.Owner) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(policy.Lineages)) {
		for _, e := range policy.Lineages[name].Endpoints {
			if p := a.lineages[name].Providers[e.URL]; p != "" && slices.Contains(e.Owners(), owner) {
				names = append(names, p)
			}
		}
	}
	return names
}

func (a *Agent) provider(name string) *Provider {
	for i := range a.cfg.Providers {
		if a.cfg.Providers[i].Name == name {
			return &a.cfg.Providers[i]
		}
	}
	return nil
}

// copies reads the providers' own copies of some targets. One that could not be read a
// moment ago is left unread.
func (a *Agent) copies(ctx context.Context, g *group, targets []tlsa.Owner, s rollover.State) map[tlsa.Owner]rollover.Sight[tlsa.RRset] {
	var mu sync.Mutex
	out := make(map[tlsa.Owner]rollover.Sight[tlsa.RRset], len(targets))
	tries := map[tlsa.Owner]failure{}
	var wait errgroup.Group
	wait.SetLimit(sideBySide)
	for _, target := range targets {
		before := g.notRead[target]
		if a.clock.now().Before(before.again) {
			out[target] = rollover.Unseen[tlsa.RRset](before.text)
		} else {
			tries[target] = before
		}
	}
	for target, before := range tries {
		wait.Go(func() error {
			rrset, err := a.readCopy(ctx, target, s)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				out[target] = rollover.Seen(rrset)
				delete(g.notRead, target)
				return nil
			}
			out[target] = rollover.Unseen[tlsa.RRset](err.Error())
			g.notRead[target] = before.next(err, a.clock.now())
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was read
	return out
}

var errNoProvider = errors.New("no provider of ours holds its zone")

func (a *Agent) readCopy(ctx context.Context, target tlsa.Owner, s rollover.State) (tlsa.RRset, error) {
	for _, owner := range slices.Sorted(maps.Keys(s.Owners)) {
		l := s.Owners[owner]
		if l.Target != target {
			continue
		}
		p := a.provider(l.Provider)
		if p == nil {
			continue
		}
		if err := a.rests.of(p.Name, a.clock.now()); err != nil {
			return tlsa.RRset{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, providerTimeout)
		rrset, err := p.RRset(ctx, l.Zone, target)
		cancel()
		a.rests.heed(p.Name, err, a.clock.now())
		return rrset, err
	}
	return tlsa.RRset{}, errNoProvider
}
