package survey

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Service is one service of a host, as an endpoint of a configuration.
type Service struct {
	Scheme string // see [probe.Endpoint]
	Host   string
	Port   uint16
	// Addresses are where it is reached; none: at those of the host.
	Addresses []netip.AddrPort
}

// service is a [Service] by the addresses of its host.
type service struct {
	scheme string
	host   string
	port   uint16
}

// Service looks at one service.
func (r *Round) Service(ctx context.Context, s Service) audit.Host {
	host, err := tlsa.CanonicalHost(s.Host)
	if err != nil {
		failed := unknown(err.Error())
		return audit.Host{Name: s.Host, Port: s.Port, Zone: failed, Reach: failed, Target: s.Host}
	}
	key := service{scheme: s.Scheme, host: host, port: s.Port}
	if len(s.Addresses) == 0 {
		return r.host(ctx, key)
	}
	return r.look(ctx, key, s.Addresses)
}

func (r *Round) host(ctx context.Context, s service) audit.Host {
	return r.hosts.get(s, func() audit.Host { return r.look(ctx, s, nil) })
}

// look is where the way through a host can be read: its addresses, the TLSA records
// of each base domain, then what each address presents.
func (r *Round) look(ctx context.Context, s service, at []netip.AddrPort) audit.Host {
	h := audit.Host{Name: s.host, Port: s.port, SMTP: s.scheme == "smtp" && s.port == smtpPort, IssuerSets: r.cfg.IssuerSets}
	view := r.pass.Host(ctx, s.host)
	h.Reach, h.Aliases, h.Target = facts.Reach(view), facts.Steps(view), view.Target
	var wait errgroup.Group
	wait.Go(func() error { h.Zone = r.ask(ctx, s.host, dns.TypeSOA); return nil })
	wait.Go(func() error { h.CAA = r.caa(ctx, s.host); return nil })
	wait.Go(func() error {
		h.Bases = r.bases(ctx, s, view)
		if len(at) == 0 {
			for _, ip := range view.Addresses() {
				at = append(at, netip.AddrPortFrom(ip, s.port))
			}
		}
		h.Addresses = r.visitAll(ctx, s, sni(s.host, h.Bases), at)
		return nil
	})
	_ = wait.Wait() // failures are part of what was seen
	return h
}

// bases are the TLSA records at each base domain that clients try. Where they try
// none, as the addresses are not secure, records may stand at the host in vain.
func (r *Round) bases(ctx context.Context, s service, view lookup.HostView) []audit.Base {
	names, inVain := facts.BaseNames(view)
	if len(names) == 0 {
		return nil
	}
	bases := make([]audit.Base, len(names))
	var wait errgroup.Group
	for i, name := range names {
		wait.Go(func() error { bases[i] = r.base(ctx, name, s.port); return nil })
	}
	_ = wait.Wait() // failures are part of what was seen
	if inVain {
		bases = slices.DeleteFunc(bases, func(b audit.Base) bool { return !b.Resolved.Known() || b.Resolved.Value.Denial() })
		for i := range bases {
			bases[i].InVain = true
		}
	}
	return bases
}

func (r *Round) base(ctx context.Context, name string, port uint16) audit.Base {
	owner, err := tlsa.OwnerOf(port, name)
	if err != nil {
		return facts.NoBase(name, err)
	}
	b := facts.Base(name, owner, r.pass.Owner(ctx, owner))
	b.Beside = r.ask(ctx, strings.TrimSuffix(owner.String(), "."), dns.TypeA)
	return b
}

// recordsAt are TLSA records below a name that is no mail host, nil if there are none.
func (r *Round) recordsAt(ctx context.Context, name string) *audit.Base {
	owner, err := tlsa.OwnerOf(smtpPort, name)
	if err != nil {
		return nil
	}
	if a := r.pass.Ask(ctx, owner.String(), dns.TypeTLSA); a.Err != "" || len(a.Records) == 0 {
		return nil
	}
	b := r.base(ctx, name, smtpPort)
	return &b
}

// sni is the name that clients that know the records give in the handshake: the TLSA
// base domain (RFC 7672, section 8.1).
func sni(host string, bases []audit.Base) string {
	for _, b := range bases {
		if b.Security == rollover.Secure && b.Resolved.Known() && !b.Resolved.Value.Denial() {
			return b.Name
		}
	}
	return host
}

// visit is one address of a service and the name that is given there.
type visit struct {
	endpoint probe.Endpoint
	address  netip.AddrPort
}

func (r *Round) visitAll(ctx context.Context, s service, name string, at []netip.AddrPort) []audit.Address {
	out := make([]audit.Address, len(at))
	var wait errgroup.Group
	for i, address := range at {
		if i >= mostAddresses {
			out[i] = notAsked(address, len(at))
			continue
		}
		v := visit{probe.Endpoint{Scheme: s.scheme, Host: name, Port: s.port}, address}
		wait.Go(func() error {
			out[i] = r.addresses.get(v, func() audit.Address { return r.address(ctx, v) })
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	return out
}
