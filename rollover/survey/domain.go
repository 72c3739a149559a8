package survey

import (
	"context"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/mtasts"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// smtpPort is where mail is delivered (RFC 5321, section 4.5.4.2).
const smtpPort = 25

// Domain looks at a mail domain, and at everything that its mail may come to.
func (r *Round) Domain(ctx context.Context, name string) audit.Domain {
	d := audit.Domain{Name: name, At: r.cfg.Now()}
	canonical, err := tlsa.CanonicalHost(name)
	if err != nil {
		d.MX.Lookup = unknown(err.Error())
		d.Zone = d.MX.Lookup
		return d
	}
	d.Name = canonical
	var wait errgroup.Group
	wait.Go(func() error { d.Zone = r.ask(ctx, d.Name, dns.TypeSOA); return nil })
	wait.Go(func() error { d.STS = r.sts(ctx, d.Name); return nil })
	wait.Go(func() error { d.Reports = r.reports(ctx, d.Name); return nil })
	wait.Go(func() error {
		expanded := r.mx(ctx, &d)
		d.Hosts = r.mxHosts(ctx, d.MX, nextHops(d.MX, d.Name, expanded))
		return nil
	})
	_ = wait.Wait() // failures are part of what was seen
	if !slices.ContainsFunc(d.Hosts, func(h audit.Host) bool { return h.Name == d.Name }) {
		d.AtDomain = r.recordsAt(ctx, d.Name)
	}
	return d
}

// Host looks at a host as if it were the only MX host of a domain of its name.
func (r *Round) Host(ctx context.Context, name string) audit.Domain {
	d := audit.Domain{Name: name, At: r.cfg.Now(), Reports: rollover.Unseen[string]("not looked for"), STS: audit.STS{Record: rollover.Unseen[string]("not looked for")}}
	canonical, err := tlsa.CanonicalHost(name)
	if err != nil {
		d.MX.Lookup = unknown(err.Error())
		d.Zone = d.MX.Lookup
		return d
	}
	d.Name = canonical
	d.Zone = r.ask(ctx, canonical, dns.TypeSOA)
	d.MX = audit.MX{Lookup: audit.Lookup{Security: rollover.Secure, Text: "the host was named, no MX record was asked for", Exists: true}, Given: true,
		Records: []audit.Exchange{{Host: canonical}}}
	d.Hosts = r.mxHosts(ctx, d.MX, nil)
	return d
}

// nextHops are the names beside an MX host's own that its certificate may be for
// under DANE-TA: the mail domain and what that is an alias of, as long as the way to
// the host is secure (RFC 7672, section 3.2.2).
func nextHops(mx audit.MX, name, expanded string) []string {
	if mx.Security != rollover.Secure || mx.Implicit {
		return nil
	}
	return slices.Compact([]string{name, expanded})
}

// mx looks for MX records, and says what the domain is an alias of: itself, mostly.
func (r *Round) mx(ctx context.Context, d *audit.Domain) (expanded string) {
	name, out := d.Name, &d.MX
	a := r.pass.Ask(ctx, name+".", dns.TypeMX)
	out.Lookup, expanded = lookupOf(a), name
	for _, rr := range a.Records {
		switch rr := rr.(type) {
		case *dns.CNAME:
			out.Aliases = append(out.Aliases, audit.Step{Owner: rr.Hdr.Name, Target: rr.Target, Security: rollover.Security(a.Security)})
			expanded = strings.TrimSuffix(strings.ToLower(rr.Target), ".")
		case *dns.MX:
			out.Records = append(out.Records, exchange(rr))
		}
	}
	out.Exists = len(out.Records) > 0
	slices.SortStableFunc(out.Records, func(a, b audit.Exchange) int {
		if a.Preference != b.Preference {
			return int(a.Preference) - int(b.Preference)
		}
		return strings.Compare(a.Host, b.Host)
	})
	out.Null = len(out.Records) == 1 && out.Records[0].Host == ""
	if a.Err != "" || out.Exists && !out.Null {
		return expanded
	}
	d.Addresses = facts.Reach(r.pass.Host(ctx, name))
	if out.Null {
		return expanded
	}
	// Without an MX record mail goes to the domain's own addresses (RFC 5321, section 5.1).
	out.SPF = r.spf(ctx, name)
	host := r.pass.Host(ctx, name)
	if len(host.Addresses()) > 0 || host.Err != "" || host.IPv4.Err != "" || host.IPv6.Err != "" {
		out.Implicit = true
		out.Records = []audit.Exchange{{Host: name}}
	}
	return expanded
}

func exchange(rr *dns.MX) audit.Exchange {
	e := audit.Exchange{Preference: rr.Preference, Host: strings.TrimSuffix(strings.ToLower(rr.Mx), ".")}
	if e.Host == "" {
		return e
	}
	host, err := tlsa.CanonicalHost(e.Host)
	switch {
	case isAddress(e.Host):
		e.Err = "it is an address, and has to be a host name (RFC 5321, section 5.1)"
	case err != nil:
		e.Err = err.Error()
	case !mtasts.HostName(host):
		e.Err = "it is no host name: letters, digits and hyphens between them (RFC 5321, section 4.1.2)"
	default:
		e.Host = host
	}
	return e
}

// mxHosts looks at the hosts of MX records, all at once; each once, by its best record.
func (r *Round) mxHosts(ctx context.Context, mx audit.MX, nextHop []string) []audit.Host {
	var records []audit.Exchange
	for _, e := range mx.Records {
		twice := slices.ContainsFunc(records, func(f audit.Exchange) bool { return f.Host == e.Host })
		if e.Err == "" && e.Host != "" && !twice {
			records = append(records, e)
		}
	}
	hosts := make([]audit.Host, len(records))
	var wait errgroup.Group
	for i, e := range records {
		if i >= mostHosts {
			hosts[i] = notLookedAt(e.Host, len(records))
			hosts[i].Preference = e.Preference
			continue
		}
		wait.Go(func() error {
			hosts[i] = r.host(ctx, service{scheme: "smtp", host: e.Host, port: smtpPort})
			hosts[i].Preference, hosts[i].NextHop = e.Preference, nextHop
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	return hosts
}
