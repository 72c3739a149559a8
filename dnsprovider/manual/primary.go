package manual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const resolvConf = "/etc/resolv.conf"

// zoneOf returns the zone that owner lies in: the one asked for, the one configured, or
// the one found.
func (p *Provider) zoneOf(ctx context.Context, asked string, owner tlsa.Owner) (string, *trouble) {
	if t := ended(ctx); t != nil {
		return "", t
	}
	zone, err := dnsprovider.CanonicalZone(asked)
	switch {
	case err != nil:
		return "", &trouble{kind: dnsprovider.Malformed, err: err}
	case zone == "" && p.zone == "":
		return p.findZone(ctx, string(owner))
	case zone == "":
		zone = p.zone
	case p.zone != "" && p.zone != zone:
		return "", &trouble{kind: dnsprovider.NoZone, err: fmt.Errorf("the zone %s is asked for, and the provider is for %s alone", zone, p.zone)}
	}
	if !dnsprovider.InZone(string(owner), zone) {
		return "", &trouble{kind: dnsprovider.OutsideZone, err: fmt.Errorf("the zone is %s and the name lies outside of it", zone)}
	}
	return zone, nil
}

// findZone walks up from name to the first name that owns a SOA. The server itself is asked
// if it is configured, as it may be hidden, else the resolver.
func (p *Provider) findZone(ctx context.Context, name string) (string, *trouble) {
	for at := name; dns.CountLabel(at) > 1 || p.server != "" && at != ""; _, at, _ = strings.Cut(at, ".") {
		var reply *dns.Msg
		var t *trouble
		if p.server != "" {
			reply, t = p.askPrimary(ctx, "", query(at, dns.TypeSOA))
		} else {
			reply, t = p.askResolver(ctx, query(at, dns.TypeSOA))
		}
		switch {
		case t != nil && t.kind == dnsprovider.NoZone:
			continue // not the server's zone, or below one of its zone cuts: further up it may be
		case t != nil:
			return "", t
		case soaAt(at, reply) != nil:
			return at, nil
		}
	}
	return "", &trouble{
		kind: dnsprovider.NoZone, err: errors.New("no zone found that the name lies in"),
		hint: "does the domain exist, and does the server, or the resolver, know it; else configure the zone",
	}
}

// soaAt is the SOA of the zone with that name, nil where there is none.
func soaAt(zone string, reply *dns.Msg) *dns.SOA {
	for _, rr := range reply.Answer {
		if soa, ok := rr.(*dns.SOA); ok && dns.CanonicalName(soa.Hdr.Name) == zone {
			return soa
		}
	}
	return nil
}

// askPrimary asks the primary of a zone one question, and takes only what it says with
// authority.
func (p *Provider) askPrimary(ctx context.Context, zone string, m *dns.Msg) (*dns.Msg, *trouble) {
	replies, address, t := p.askAny(ctx, zone, m)
	if t != nil {
		return nil, t
	}
	if t := noAnswer(replies[0]); t != nil {
		return nil, t.at(address)
	}
	if !replies[0].Authoritative {
		return nil, notAuthoritative(m.Question[0].Name).at(address)
	}
	return replies[0], nil
}

func notAuthoritative(name string) *trouble {
	return &trouble{
		kind: dnsprovider.NoZone, err: fmt.Errorf("the server does not answer with authority for %s", name),
		hint: "is it the primary, and not a resolver; is the zone loaded there",
	}
}

// askAny asks one of the addresses of a zone's primary: the first that replies.
func (p *Provider) askAny(ctx context.Context, zone string, queries ...*dns.Msg) ([]*dns.Msg, string, *trouble) {
	addresses, t := p.primaryOf(ctx, zone)
	if t != nil {
		return nil, "", t
	}
	for _, address := range addresses {
		var replies []*dns.Msg
		replies, t = p.ask(ctx, address, queries...)
		if t == nil {
			if t = noAnswer(replies[0]).at(address); t == nil || !t.another {
				return replies, address, nil
			}
		}
		if !t.another {
			break
		}
	}
	return nil, "", t
}

// primaryOf returns the addresses of the server to ask. In a pass they are found once.
func (p *Provider) primaryOf(ctx context.Context, zone string) ([]string, *trouble) {
	type key struct {
		p    *Provider
		zone string
	}
	type found struct {
		addresses []string
		t         *trouble
	}
	got, err := dnsprovider.ReadOnce(ctx, key{p, zone}, func(ctx context.Context) (found, error) {
		addresses, t := p.findPrimary(ctx, zone)
		return found{addresses, t}, nil
	})
	if err != nil {
		return nil, &trouble{kind: dnsprovider.Temporary, err: err}
	}
	return got.addresses, got.t
}

func (p *Provider) findPrimary(ctx context.Context, zone string) ([]string, *trouble) {
	if p.server != "" {
		host, port, err := net.SplitHostPort(p.server)
		if err != nil {
			return nil, &trouble{kind: dnsprovider.Malformed, err: err}
		}
		return p.addressesOf(ctx, host, port)
	}
	reply, t := p.askResolver(ctx, query(zone, dns.TypeSOA))
	if t != nil {
		return nil, t
	}
	soa := soaAt(zone, reply)
	if soa == nil {
		return nil, &trouble{
			kind: dnsprovider.NoZone, err: fmt.Errorf("the resolver finds no SOA at %s, so the zone does not exist", zone),
			hint: "is that the name of the zone; if it is hidden, configure the server",
		}
	}
	return p.addressesOf(ctx, dns.CanonicalName(soa.Ns), defaultPort)
}

// askResolver asks the recursive resolver, over TCP as everything here.
func (p *Provider) askResolver(ctx context.Context, m *dns.Msg) (*dns.Msg, *trouble) {
	address, t := p.resolverAddress()
	if t != nil {
		return nil, t
	}
	m.RecursionDesired = true
	replies, t := p.ask(ctx, address, m)
	if t != nil {
		t.err = fmt.Errorf("resolver: %w", t.err)
		return nil, t
	}
	switch replies[0].Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return replies[0], nil
	}
	t = &trouble{
		kind: dnsprovider.Temporary, err: fmt.Errorf("resolver: %s for %s", rcode(replies[0]), m.Question[0].Name),
		hint: "is the zone signed and served as it should; does this resolver serve this host",
	}
	return nil, t.at(address)
}

func (p *Provider) resolverAddress() (string, *trouble) {
	if p.resolver != "" {
		return p.resolver, nil
	}
	conf, err := dns.ClientConfigFromFile(resolvConf)
	if err == nil && len(conf.Servers) == 0 {
		err = errors.New(resolvConf + " names no server")
	}
	if err != nil {
		return "", &trouble{kind: dnsprovider.NoZone, err: fmt.Errorf("no resolver to find the zone and its primary: %w", err), hint: "configure server and zone"}
	}
	return net.JoinHostPort(conf.Servers[0], conf.Port), nil
}

// addressesOf returns the addresses of a host, with the port. A configured resolver is
// asked for them, else the host's own means, its hosts file among them.
func (p *Provider) addressesOf(ctx context.Context, host, port string) ([]string, *trouble) {
	if net.ParseIP(withoutScope(host)) != nil {
		return []string{net.JoinHostPort(host, port)}, nil
	}
	var ips []string
	if p.resolver == "" {
		found, err := new(net.Resolver).LookupHost(ctx, host)
		if err != nil {
			if t := ended(ctx); t != nil {
				return nil, t
			}
			return nil, noAddress(fmt.Errorf("the address of the primary: %w", err))
		}
		ips = found
	} else {
		for _, qtype := range [...]uint16{dns.TypeAAAA, dns.TypeA} {
			reply, t := p.askResolver(ctx, query(dns.Fqdn(host), qtype))
			if t != nil {
				return nil, t
			}
			for _, rr := range reply.Answer {
				switch rr := rr.(type) {
				case *dns.AAAA:
					ips = append(ips, rr.AAAA.String())
				case *dns.A:
					ips = append(ips, rr.A.String())
				}
			}
		}
	}
	if len(ips) == 0 {
		return nil, noAddress(fmt.Errorf("the primary %s has no address", host))
	}
	out := make([]string, len(ips))
	for i, ip := range ips {
		out[i] = net.JoinHostPort(ip, port)
	}
	return out, nil
}

// noAddress is usual with hosts that keep their primary to themselves.
func noAddress(err error) *trouble {
	return &trouble{kind: dnsprovider.Temporary, err: err, hint: "if the zone's SOA names no server that can be asked, configure server with one of its name servers"}
}
