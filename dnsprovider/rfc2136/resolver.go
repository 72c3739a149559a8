package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

const resolvConf = "/etc/resolv.conf"

// askResolver asks the recursive resolver. Over TCP, as everything here: where updates
// are sent is not to be guessed by whoever can forge a datagram. Whether the primary
// is the right one is proven by its signature, not by the resolver.
func (p *Provider) askResolver(ctx context.Context, m *dns.Msg) (*dns.Msg, *trouble) {
	address, t := p.resolverAddress()
	if t != nil {
		return nil, t
	}
	m.RecursionDesired = true
	s := &session{p: p, address: address, brief: true}
	defer s.close()
	replies, troubles := s.ask(ctx, []*dns.Msg{m})
	if t := troubles[0]; t != nil {
		t.err = fmt.Errorf("resolver: %w", t.err)
		return nil, t
	}
	switch rcode := replies[0].Rcode; rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return replies[0], nil
	default:
		return nil, (&trouble{
			kind: dnsprovider.Temporary, err: fmt.Errorf("resolver: %s for %s", rcodeName(rcode), m.Question[0].Name),
			hint: "is the zone signed and served as it should; does this resolver serve this host",
		}).at(address)
	}
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
			return nil, &trouble{kind: dnsprovider.Temporary, err: fmt.Errorf("the address of the server: %w", err), hint: "is that its name"}
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
		return nil, &trouble{kind: dnsprovider.Temporary, err: fmt.Errorf("the server %s has no address", host), hint: "is that its name"}
	}
	out := make([]string, len(ips))
	for i, ip := range ips {
		out[i] = net.JoinHostPort(ip, port)
	}
	if p.negotiator != nil {
		p.negotiator.named(host, out)
	}
	return out, nil
}
