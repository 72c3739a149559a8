package agent

import (
	"context"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// audited is what the endpoints' clients would find wrong, by lineage, beside what the
// rules tell of by themselves.
type audited struct {
	findings map[string][]rollover.Warning // never changed
	at       time.Time                     // of the look; zero: there was none
}

// audits has the endpoints judged as their clients judge them, by what a look saw of
// them, once in the time of look: it does not change from one second to the next.
func (a *Agent) audits(ctx context.Context, dns Looker, names []string, policy rollover.Policy, seen map[target]audit.Address, last audited) audited {
	now := a.clock.now()
	if !last.at.IsZero() && now.Sub(last.at) < policy.Timing.Look {
		return last
	}
	out := audited{findings: map[string][]rollover.Warning{}, at: now}
	for _, name := range names {
		for _, e := range policy.Lineages[name].Endpoints {
			h := hostOf(ctx, dns, e)
			for t, address := range seen {
				if t.url == e.URL {
					h.Addresses = append(h.Addresses, address)
				}
			}
			for _, f := range audit.Lasting(audit.JudgeHost(h, now).Findings) {
				out.findings[name] = append(out.findings[name], f.Warning)
			}
		}
	}
	if ctx.Err() != nil {
		return last // a look that was cut short says nothing
	}
	return out
}

// hostOf is what DNS says of an endpoint.
func hostOf(ctx context.Context, dns Looker, e rollover.Endpoint) audit.Host {
	view := dns.Host(ctx, e.Host)
	h := audit.Host{Name: e.Host, Port: e.Port, SMTP: e.SMTP, Zone: audit.Lookup{Security: rollover.Security(view.Security)},
		Reach: facts.Reach(view), Aliases: facts.Steps(view), Target: view.Target, CAA: rollover.Unseen[[]string]("not looked for")}
	names, inVain := facts.BaseNames(view)
	for _, name := range names {
		owner, err := tlsa.OwnerOf(e.Port, name)
		if err != nil {
			h.Bases = append(h.Bases, facts.NoBase(name, err))
			continue
		}
		b := facts.Base(name, owner, dns.Owner(ctx, owner))
		b.InVain = inVain
		h.Bases = append(h.Bases, b)
	}
	return h
}

// enter puts the findings beside what else was seen.
func (d audited) enter(seen *rollover.Observation) {
	for name, findings := range d.findings {
		if view, looked := seen.Lineages[name]; looked {
			view.Findings = slices.Concat(view.Findings, findings)
			seen.Lineages[name] = view
		}
	}
}
