package agent

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// sideBySide is how many owner names or addresses of one group are looked at at once.
const sideBySide = 8

// observe looks at everything of a group that is due: files always, servers and
// endpoints when the plan says.
func (a *Agent) observe(ctx context.Context, g *group, dns *lookup.Pass) rollover.Observation {
	now := a.clock.now()
	seen := rollover.Observation{Lineages: map[string]rollover.LineageView{}, Chains: maps.Clone(g.chains)}
	a.readFiles(g, &seen, now)
	eager := len(g.offers) > 0
	// Endpoints first: a tarpit may keep us for half a minute, and what the servers
	// give should be as fresh as can be when it is decided upon.
	if (eager || due(g.plan.LookServed, now)) && !ripened(g, now) {
		a.probe(ctx, g, dns, &seen)
	}
	if eager || due(g.plan.LookDNS, a.clock.now()) {
		g.policy.Excluded = map[string]bool{}
		seen.Owners = a.lookAt(ctx, g, dns)
		if a.unlistedDue(g, now) {
			a.searchUnlisted(ctx, g, dns, &seen)
			g.unlisted = now
		}
	}
	g.passed = now
	return seen
}

// ripened reports whether a successor has become ready since the last pass. Then
// endpoints, which may keep us waiting for half a minute each, are looked at in
// the next one: nothing about the swap depends on them.
func ripened(g *group, now time.Time) bool {
	for _, l := range g.state.Lineages {
		if l.Successor != "" && g.passed.Before(l.ReadyAt) && !now.Before(l.ReadyAt) && !g.passed.IsZero() {
			return true
		}
	}
	return false
}

func due(at, now time.Time) bool { return at.IsZero() || !now.Before(at) }

// lookAt asks every authoritative server and the resolver about every owner name:
// those of the endpoints, and others that have a ledger.
func (a *Agent) lookAt(ctx context.Context, g *group, dns *lookup.Pass) map[tlsa.Owner]rollover.OwnerView {
	owners := slices.Collect(maps.Keys(g.state.Owners))
	for _, name := range g.names {
		p := g.policy.Lineages[name]
		for i, e := range p.Endpoints {
			p.Endpoints[i].Also = a.expanded(ctx, dns, e)
			owners = append(owners, p.Endpoints[i].Owners()...)
		}
	}
	slices.Sort(owners)
	return a.views(ctx, g, dns, slices.Compact(owners))
}

// expanded are the further owner names of an endpoint whose host is an alias:
// clients ask at the fully expanded name first (RFC 7672, section 2.2.2).
func (a *Agent) expanded(ctx context.Context, dns *lookup.Pass, e rollover.Endpoint) []tlsa.Owner {
	host := dns.Host(ctx, e.Host)
	if host.Err != "" || len(host.Aliases) == 0 || host.Target == e.Host {
		return e.Also // what was found before stands while the look fails
	}
	owner, err := tlsa.OwnerOf(e.Port, host.Target)
	if err != nil {
		return e.Also
	}
	return []tlsa.Owner{owner}
}

func (a *Agent) views(ctx context.Context, g *group, dns *lookup.Pass, owners []tlsa.Owner) map[tlsa.Owner]rollover.OwnerView {
	views := make([]rollover.OwnerView, len(owners))
	excluded := make([][]lookup.Server, len(owners))
	var wait errgroup.Group
	wait.SetLimit(sideBySide)
	for i, owner := range owners {
		wait.Go(func() error {
			view := dns.Owner(ctx, owner, retained(g.state.Owners[owner])...)
			views[i], excluded[i] = a.ownerView(g, owner, view), view.Excluded
			return nil
		})
	}
	_ = wait.Wait() // failures are part of the views
	out := map[tlsa.Owner]rollover.OwnerView{}
	for i, owner := range owners {
		out[owner] = views[i]
		for _, s := range excluded[i] {
			g.policy.Excluded[s.Address.String()] = true
		}
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
		address, asked, _ := strings.Cut(s.Address, forName)
		if at, err := netip.ParseAddrPort(address); err == nil {
			out = append(out, lookup.Retained{Server: lookup.Server{Name: s.Name, Address: at}, NSTTL: s.NSTTL, Asked: tlsa.Owner(asked)})
		}
	}
	return out
}

// forName joins an address and a name on the way that it was asked for, so that
// one address that serves an alias and its target counts as two servers.
const forName = " for "

func (a *Agent) ownerView(g *group, owner tlsa.Owner, v lookup.View) rollover.OwnerView {
	out := rollover.OwnerView{Target: v.Target, Zone: v.Zone, AliasTTL: v.AliasTTL, Security: rollover.Security(v.Security), SecurityText: v.SecurityText, Err: v.Err}
	if out.Err == "" {
		out.Err = v.Incomplete
	}
	if p := a.providerFor(g, owner, v.Zone); p != nil {
		out.Provider = p.Name
	}
	for _, s := range v.Servers {
		out.Servers = append(out.Servers, serverView(v, s))
	}
	for _, f := range v.Findings {
		out.Findings = append(out.Findings, rollover.Warning{Code: rollover.Code(f.Code), Severity: rollover.Severity(f.Severity), Text: f.Text})
	}
	return out
}

func serverView(v lookup.View, s lookup.ServerView) rollover.ServerView {
	out := rollover.ServerView{Name: s.Name, Address: s.Address.String(), NSTTL: s.NSTTL, Alias: s.Leads != "",
		Retained: s.Source == lookup.SourceRetained, Untested: s.FamilyUntested, Unsigned: s.Err == "" && !s.Signed(), SignedUntil: s.SignedUntil}
	if s.Asked != v.Target && s.Asked != "" {
		out.Address += forName + string(s.Asked)
	}
	if s.Err != "" {
		out.Answer = rollover.Unseen[tlsa.RRset](s.Err)
	} else {
		out.Answer = rollover.Seen(s.RRset)
	}
	return out
}

// providerFor finds who holds the zone: the one named for an endpoint, if it can,
// else the one whose zone is the longest match.
func (a *Agent) providerFor(g *group, owner tlsa.Owner, zone string) *Provider {
	if zone == "" {
		return nil
	}
	named := a.namedProviders(g, owner)
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

func (a *Agent) namedProviders(g *group, owner tlsa.Owner) []string {
	var names []string
	for _, name := range g.names {
		for _, e := range g.policy.Lineages[name].Endpoints {
			if p := a.lineages[name].Providers[e.URL]; p != "" && slices.Contains(e.Owners(), owner) {
				names = append(names, p)
			}
		}
	}
	return names
}

// copies reads the provider's own copy of some targets.
func (a *Agent) copies(ctx context.Context, targets []tlsa.Owner, s rollover.State) map[tlsa.Owner]rollover.Sight[tlsa.RRset] {
	out := make(map[tlsa.Owner]rollover.Sight[tlsa.RRset], len(targets))
	for _, target := range targets {
		out[target] = a.readCopy(ctx, target, s)
	}
	return out
}

func (a *Agent) readCopy(ctx context.Context, target tlsa.Owner, s rollover.State) rollover.Sight[tlsa.RRset] {
	for _, l := range s.Owners {
		if l.Target != target {
			continue
		}
		p := a.provider(l.Provider)
		if p == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, providerTimeout)
		rrset, err := p.RRset(ctx, l.Zone, target)
		cancel()
		if err != nil {
			return rollover.Unseen[tlsa.RRset](err.Error())
		}
		return rollover.Seen(rrset)
	}
	return rollover.Unseen[tlsa.RRset]("no provider of ours holds its zone")
}

func (a *Agent) provider(name string) *Provider {
	for i := range a.cfg.Providers {
		if a.cfg.Providers[i].Name == name {
			return &a.cfg.Providers[i]
		}
	}
	return nil
}
