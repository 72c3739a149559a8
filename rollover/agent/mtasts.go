package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/stsfetch"
	"github.com/tlsaroll/tlsaroll/rollover/mtasts"
)

const (
	// policyNear is how long before the live certificate's end it begins to matter
	// whether senders enforce MTA-STS, which forgives no expired certificate.
	policyNear = 30 * 24 * time.Hour
	// policyAge is for how long a policy is believed whose id has not changed.
	policyAge = 24 * time.Hour
)

// mtaState is what was found of the MTA-STS policy (RFC 8461) of the mail domain
// that an MX host belongs to.
type mtaState struct {
	enforced rollover.Sight[bool] // whether the policy is in mode enforce
	id       string               // of the policy; "": there is none
	at       time.Time            // when the policy was fetched
}

// policyHosts are the MX hosts whose mail domains' policies matter now, by
// lineage: those of lineages that may have to choose between an expired
// certificate and a mismatch (DESIGN 4.11).
func (a *Agent) policyHosts(g *group) map[string][]string {
	hosts := map[string][]string{}
	for _, name := range g.names {
		p, live := g.base.Lineages[name], g.state.Chains[g.state.Lineages[name].Live]
		if p.Deadline != rollover.DeadlineAuto || live == nil || a.clock.now().Before(live.NotAfter().Add(-policyNear)) {
			continue
		}
		for _, e := range p.Endpoints {
			if e.SMTP && e.Port == 25 && !slices.Contains(hosts[name], e.Host) {
				hosts[name] = append(hosts[name], e.Host)
			}
		}
	}
	return hosts
}

// enforced says of lineages whose mail domains' policies matter what was found:
// that one is enforced counts, and that one is unknown is no proof.
func (a *Agent) enforced(g *group, b book) map[string]rollover.Sight[bool] {
	out := map[string]rollover.Sight[bool]{}
	for name, hosts := range a.policyHosts(g) {
		for _, host := range hosts {
			state, looked := b.policies[host]
			switch so := out[name]; {
			case !looked:
			case state.enforced.Value, !so.Value && so.Known():
				out[name] = state.enforced
			}
		}
	}
	return out
}

// lookPolicies finds out about the policies of some MX hosts' mail domains; known
// is what was found before.
func (a *Agent) lookPolicies(ctx context.Context, pass Looker, hosts map[string][]string, known map[string]mtaState) map[string]mtaState {
	out := map[string]mtaState{}
	for _, all := range hosts {
		for _, host := range all {
			if _, done := out[host]; !done {
				out[host] = a.lookPolicy(ctx, pass, host, known[host])
			}
		}
	}
	return out
}

// lookPolicy asks for the policy's id, and for the policy where that has changed
// (RFC 8461, section 3.1). The mail domain is taken to be the zone that the host
// lies in.
func (a *Agent) lookPolicy(ctx context.Context, pass Looker, host string, known mtaState) mtaState {
	unknown := func(err error) mtaState {
		return mtaState{enforced: rollover.Unseen[bool]("MTA-STS of " + host + ": " + err.Error())}
	}
	zone, err := pass.ZoneOf(ctx, host+".")
	if err != nil {
		return unknown(err)
	}
	domain := strings.TrimSuffix(zone, ".")
	id, err := policyID(pass.Ask(ctx, "_mta-sts."+zone, dns.TypeTXT))
	now := a.clock.now()
	switch {
	case err != nil:
		return unknown(err)
	case id == "":
		return mtaState{enforced: rollover.Seen(false), at: now}
	case id == known.id && known.enforced.Known() && now.Sub(known.at) < policyAge:
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, stsfetch.Timeout)
	defer cancel()
	text, err := a.cfg.FetchPolicy(ctx, domain)
	if err != nil {
		return unknown(err)
	}
	policy, err := mtasts.ParsePolicy(text)
	if policy.Mode == "" {
		return unknown(fmt.Errorf("policy of %s: %w", domain, err))
	}
	// A mode counts even where the rest of the policy would keep strict senders from using it.
	return mtaState{enforced: rollover.Seen(policy.Mode == mtasts.Enforce), id: id, at: now}
}

// policyID is the id in the TXT answer; "": there is no policy (RFC 8461, section 3.1). An
// id of a form that strict senders would not take is one all the same.
func policyID(answer lookup.Answer) (string, error) {
	if answer.Err != "" {
		return "", fmt.Errorf("%s", answer.Err)
	}
	var texts []string
	for _, rr := range answer.Records {
		if txt, ok := rr.(*dns.TXT); ok {
			texts = append(texts, strings.Join(txt.Txt, ""))
		}
	}
	record, _ := mtasts.ParseRecord(texts) // what is wrong with it is for check to tell
	return record.ID, nil
}
