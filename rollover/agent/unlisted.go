package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// mailPorts are where clients of a mail host look for TLSA records (DESIGN 4.6).
func mailPorts() []uint16 { return []uint16{25, 465, 587, 993, 995, 143, 110, 4190} }

// unlistedDue reports whether owner names that no endpoint lists are to be
// searched for: while a successor is on its way, now and then and whenever it may
// be swapped in.
func (a *Agent) unlistedDue(g *group, now time.Time) bool {
	for _, l := range g.state.Lineages {
		if l.Successor != "" && (now.Sub(g.unlisted) >= g.policy.Timing.Look || !l.ReadyAt.IsZero() && !now.Before(l.ReadyAt)) {
			return true
		}
	}
	return len(g.offers) > 0
}

// searchUnlisted asks the resolver for TLSA records at every name of the live and
// the next certificates. What exists is looked at like any owner name; what
// cannot be told is said.
func (a *Agent) searchUnlisted(ctx context.Context, g *group, pass *lookup.Pass, seen *rollover.Observation) {
	var mu sync.Mutex
	var found []tlsa.Owner
	seen.Unlisted = map[tlsa.Owner]string{}
	var wait errgroup.Group
	wait.SetLimit(sideBySide)
	for _, owner := range a.candidates(g, seen) {
		wait.Go(func() error {
			answer := pass.Ask(ctx, string(owner), dns.TypeTLSA)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case answer.Err != "" && answer.Security != lookup.Insecure:
				seen.Unlisted[owner] = answer.Err
			case slices.ContainsFunc(answer.Records, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeTLSA }):
				found = append(found, owner)
			}
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	slices.Sort(found)
	for owner, view := range a.views(ctx, g, pass, found) {
		seen.Owners[owner] = view
	}
}

// candidates are the owner names of all certificates' names that are no
// endpoint's and have no ledger yet. A wildcard stands for names that cannot be
// listed; those that are endpoints are known anyway.
func (a *Agent) candidates(g *group, seen *rollover.Observation) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, name := range g.names {
		l, p := g.state.Lineages[name], g.policy.Lineages[name]
		ids := []tlsa.ChainID{l.Live, l.Successor}
		for _, offer := range g.offers[name] {
			ids = append(ids, offer.Chain)
		}
		for _, id := range ids {
			chain := g.state.Chains[id]
			if chain == nil {
				chain = seen.Chains[id]
			}
			if chain == nil {
				continue
			}
			for _, host := range chain.Names() {
				for _, port := range mailPorts() {
					owner, err := tlsa.OwnerOf(port, host)
					if _, looked := seen.Owners[owner]; err == nil && !looked && !p.Ignore[owner] && !strings.HasPrefix(host, "*") {
						owners = append(owners, owner)
					}
				}
			}
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}
