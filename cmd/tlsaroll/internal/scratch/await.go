package scratch

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A MissingError says which address records have to be written first.
type MissingError struct {
	Why   string
	Lines []string
}

// Error gives the lines too.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s (hint: the zone wants these lines, which may stay:)\n%s", e.Why, strings.Join(e.Lines, "\n"))
}

// CheckAddresses looks whether each domain has the address of its case and no other, from
// every server and securely. Only questions that have an answer are put to the resolver: a
// denial that it remembers may cover the records to come (RFC 8198).
func (d *Domains) CheckAddresses(ctx context.Context) error {
	eyes := d.Look()
	for _, c := range d.Cases {
		if c.Kind == sink.Bogus {
			continue
		}
		views, err := eyes.Served(ctx, d.Zone, c.Domain, addressType(c))
		if err != nil {
			return err
		}
		if lacks := lacking(views, func(v lookup.ServedView) string { return wrongAddress(v, c) }); lacks != "" {
			return &MissingError{fmt.Sprintf("%s: the address of %s is not as it has to be: %s", strings.TrimSuffix(d.Zone, "."), c.Domain, lacks), d.Lines()}
		}
		a := eyes.Ask(ctx, c.Domain, addressType(c))
		switch {
		case a.Err != "":
			return fmt.Errorf("%s: %s", c.Domain, a.Err)
		case a.Security != lookup.Secure:
			return fmt.Errorf("%s: it is %s, so no sender looks for TLSA records there: %s", c.Domain, a.Security, a.Text)
		case !slices.Equal(addresses(a.Records), []netip.Addr{c.Address.Addr()}):
			return fmt.Errorf("%s: the resolver still has an older answer (hint: try again in %s)", c.Domain, a.NegativeTTL)
		}
	}
	return nil
}

// CheckBogus looks whether the DNSSEC of a domain is broken as it has to be, and whether mail
// for it would come to one of our addresses.
func (d *Domains) CheckBogus(ctx context.Context, c sink.Case, ours []netip.AddrPort) error {
	a := d.Look().Ask(ctx, c.Domain, addressType(c))
	switch {
	case a.Err != "":
		return fmt.Errorf("--bogus %s: %s", c.Domain, a.Err)
	case a.Security != lookup.Bogus:
		return fmt.Errorf("--bogus %s: it is %s, not bogus: %s", c.Domain, a.Security, a.Text)
	}
	found := addresses(a.Records)
	if len(found) == 0 || slices.ContainsFunc(found, func(f netip.Addr) bool {
		return !slices.ContainsFunc(ours, func(o netip.AddrPort) bool { return o.Addr() == f })
	}) {
		return &MissingError{fmt.Sprintf("--bogus %s: mail for it would not come here", c.Domain), []string{Line(c, d.TTL)}}
	}
	return nil
}

func addresses(records []dns.RR) (found []netip.Addr) {
	for _, rr := range records {
		var ip []byte
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		default:
			continue
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			found = append(found, a.Unmap())
		}
	}
	return found
}

func wrongAddress(v lookup.ServedView, c sink.Case) string {
	found := addresses(v.Records)
	switch {
	case len(found) == 0:
		return "has none"
	case !slices.Equal(found, []netip.Addr{c.Address.Addr()}):
		return fmt.Sprintf("has %s", found[0])
	case v.Wildcard:
		return "has it from a wildcard, which ends where the TLSA record makes the domain exist (RFC 4592, section 2.2.2)"
	}
	return ""
}

// lacking says which server is not as wrong wants, "" if all are. A server that this host has no way
// to is not asked, if another one was.
func lacking(views []lookup.ServedView, wrong func(lookup.ServedView) string) string {
	var lacks []string
	asked := 0
	for _, v := range views {
		switch {
		case v.FamilyUntested:
		case v.Err != "":
			lacks = append(lacks, v.Server.String()+": "+v.Err)
		default:
			asked++
			if text := wrong(v); text != "" {
				lacks = append(lacks, v.Server.String()+" "+text)
			}
		}
	}
	if asked == 0 && len(lacks) == 0 {
		return "no server could be asked"
	}
	return strings.Join(lacks, "; ")
}

// Await waits until every server gives the records, and then the resolver; what a case has not
// is looked at too. The error says what is missing when ctx ends.
func (d *Domains) Await(ctx context.Context) error {
	if err := d.until(ctx, d.everywhere); err != nil {
		return err
	}
	if err := pause(ctx, d.Margin); err != nil {
		return err
	}
	if err := d.until(ctx, d.resolved); err != nil {
		return err
	}
	return d.checkMX(ctx)
}

// until looks until nothing is missing.
func (d *Domains) until(ctx context.Context, look func(context.Context) (missing string)) error {
	for {
		missing := look(ctx)
		if missing == "" && ctx.Err() == nil {
			return nil
		}
		if pause(ctx, d.Every) != nil {
			return fmt.Errorf("the records are not seen everywhere: %s: %w (hint: give it longer with --timeout; if they never come, is this the provider that the servers get the zone from?)", missing, ctx.Err())
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// everywhere says which server lacks records, or has some that it should not.
func (d *Domains) everywhere(ctx context.Context) string {
	eyes := d.Look()
	for _, c := range d.Cases {
		if c.Kind == sink.Bogus {
			continue
		}
		views, err := eyes.Served(ctx, d.Zone, string(owner(c)), dns.TypeTLSA)
		if err != nil {
			return fmt.Sprintf("%s: %s", owner(c), err)
		}
		want := d.records(c)
		if missing := lacking(views, func(v lookup.ServedView) string {
			if have := rrset(v.Records); !have.Same(want) {
				return fmt.Sprintf("has %d records at %s, not %d", len(have.Associations), owner(c), len(want.Associations))
			}
			return ""
		}); missing != "" {
			return missing
		}
	}
	return ""
}

// resolved says for which case the validating resolver has other records.
func (d *Domains) resolved(ctx context.Context) string {
	eyes := d.Look()
	for _, c := range d.published() {
		a := eyes.Ask(ctx, string(owner(c)), dns.TypeTLSA)
		switch {
		case a.Err != "":
			return a.Err
		case a.Security != lookup.Secure:
			return fmt.Sprintf("%s is %s: %s", owner(c), a.Security, a.Text)
		case !rrset(a.Records).Same(d.records(c)):
			return fmt.Sprintf("the resolver keeps an older answer for %s, a denial for %s more (hint: other domains, with --name, need no such wait)", owner(c), a.NegativeTTL)
		}
	}
	return ""
}

// checkMX looks whether mail for the domains goes where their addresses lead.
func (d *Domains) checkMX(ctx context.Context) error {
	eyes := d.Look()
	for _, c := range d.Cases {
		if c.Kind == sink.Bogus {
			continue
		}
		a := eyes.Ask(ctx, c.Domain, dns.TypeMX)
		if a.Err != "" || a.Security != lookup.Secure {
			return fmt.Errorf("%s: whether it has MX records is %s: %s", c.Domain, a.Security, a.Text)
		}
		for _, rr := range a.Records {
			if mx, ok := rr.(*dns.MX); ok && dns.CanonicalName(mx.Mx) != c.Domain+"." {
				return fmt.Errorf("%s: mail for it goes to %s (hint: take out its MX record)", c.Domain, mx.Mx)
			}
		}
	}
	return nil
}

// rrset are the TLSA records among some.
func rrset(records []dns.RR) tlsa.RRset {
	var as []tlsa.Association
	var ttl time.Duration
	for _, rr := range records {
		if r, ok := rr.(*dns.TLSA); ok {
			as = append(as, tlsa.Association{
				Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
				Data:   strings.ToLower(r.Certificate),
			})
			ttl = max(ttl, time.Duration(r.Hdr.Ttl)*time.Second)
		}
	}
	return tlsa.NewRRset(ttl, as...)
}
