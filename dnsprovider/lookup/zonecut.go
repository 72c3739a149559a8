package lookup

import (
	"context"
	"fmt"

	"github.com/miekg/dns"
)

// ZoneOf returns the zone that name lies in, absolute and in lower case, as the
// validating resolver sees it. The zone of an alias is that which holds the alias.
func (p *Pass) ZoneOf(ctx context.Context, name string) (string, error) {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return "", fmt.Errorf("zone of %q: no domain name", name)
	}
	name = dns.CanonicalName(name)
	return p.cuts.do(ctx, name, func() (string, error) { return p.findCut(ctx, name) })
}

func (p *Pass) findCut(ctx context.Context, name string) (string, error) {
	if name == "." {
		return name, nil
	}
	a := p.Ask(ctx, name, dns.TypeSOA)
	if a.Err != "" {
		return "", fmt.Errorf("zone of %s: %s", name, a.Err)
	}
	aliased := false
	for _, rr := range a.Records {
		switch rr := rr.(type) {
		case *dns.SOA:
			if rr.Hdr.Name == name {
				return name, nil
			}
		case *dns.CNAME, *dns.DNAME:
			aliased = true
		}
	}
	// Behind an alias, the authority section speaks of the target's zone. The
	// alias itself is no apex (RFC 1034, section 3.6.2), so its zone is found above.
	if !aliased {
		for _, rr := range a.authority {
			if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, name) {
				return soa.Hdr.Name, nil
			}
		}
	}
	return p.ZoneOf(ctx, parent(name))
}

// parent is name without its first label.
func parent(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// below reports whether name lies strictly below zone.
func below(name, zone string) bool { return name != zone && dns.IsSubDomain(zone, name) }
