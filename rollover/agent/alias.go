package agent

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// alias is a further owner name of an endpoint, as its host is an alias: clients
// ask at the fully expanded name first (RFC 7672, section 2.2.2).
type alias struct {
	owner tlsa.Owner
	until time.Time // so long a cache may lead clients there
}

// expand gives the group's policy with the further owner names that are found
// now, and says of which owner names it could not be found out.
func (a *Agent) expand(ctx context.Context, g *group, dns Looker, b *book) (rollover.Policy, map[tlsa.Owner]string) {
	policy, unknown := g.base, map[tlsa.Owner]string{}
	policy.Lineages = maps.Clone(policy.Lineages)
	for name, p := range policy.Lineages {
		p.Endpoints = slices.Clone(p.Endpoints)
		for i := range p.Endpoints {
			e := &p.Endpoints[i]
			found, why := a.aliases(ctx, dns, *e, b.also[e.URL])
			if why == "" {
				b.also[e.URL] = found
			} else if _, known := b.also[e.URL]; !known {
				unknown[e.Owner] = why
			}
			e.Also = slices.Clone(e.Also)
			for _, also := range b.also[e.URL] {
				if also.owner != e.Owner && !slices.Contains(e.Also, also.owner) {
					e.Also = append(e.Also, also.owner)
				}
			}
		}
		policy.Lineages[name] = p
	}
	return policy, unknown
}

// aliases are the further owner names of an endpoint: the one found now, and those
// found before as long as a cache may lead there. Where nothing can be found, why
// says so, and those found before stand.
//
// An alias that is insecure is none to a DANE client, which asks at the host's own
// name then, or not at all (RFC 7672, section 2.2.2).
func (a *Agent) aliases(ctx context.Context, dns Looker, e rollover.Endpoint, before []alias) (found []alias, why string) {
	host := dns.Host(ctx, e.Host)
	switch {
	case host.Err != "":
		return before, "whether " + e.Host + " is an alias is not known: " + host.Err
	case host.IPv4.Err != "" && host.IPv6.Err != "":
		return before, "whether " + e.Host + " is an alias is not known: " + host.IPv4.Err
	}
	now := a.clock.now()
	found = []alias{}
	if owner, err := tlsa.OwnerOf(e.Port, host.Target); err == nil && owner != e.Owner && host.Security != lookup.Insecure {
		var ttl time.Duration
		for _, step := range host.Aliases {
			ttl += step.TTL
		}
		found = append(found, alias{owner, now.Add(a.cfg.Timing.PublicationInterval(ttl))})
	}
	for _, old := range before {
		switch i := slices.IndexFunc(found, func(f alias) bool { return f.owner == old.owner }); {
		case i >= 0:
			found[i].until = later(found[i].until, old.until) // its TTL was lowered since
		case now.Before(old.until):
			found = append(found, old)
		}
	}
	return found, ""
}
