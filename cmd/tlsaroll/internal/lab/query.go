package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

const queryTimeout = 2 * time.Second

// ask sends one question with DO and AD set and returns the answer whatever its RCODE.
func (l *Lab) ask(ctx context.Context, server netip.AddrPort, name string, rrtype uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), rrtype)
	m.SetEdns0(1232, true)
	m.AuthenticatedData = true
	client := &dns.Client{Timeout: queryTimeout}
	reply, _, err := client.ExchangeContext(ctx, m, server.String())
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, m, server.String())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s %s: %w", server, name, dns.TypeToString[rrtype], err)
	}
	return reply, nil
}

// serial returns the SOA serial number of a zone at a server.
func (l *Lab) serial(ctx context.Context, server netip.AddrPort, zone string) (uint32, error) {
	m, err := l.ask(ctx, server, zone, dns.TypeSOA)
	if err != nil {
		return 0, err
	}
	for _, rr := range m.Answer {
		if soa, ok := rr.(*dns.SOA); ok && m.Authoritative {
			return soa.Serial, nil
		}
	}
	return 0, fmt.Errorf("%s: %s SOA: no authoritative answer: %s", server, zone, dns.RcodeToString[m.Rcode])
}

// Records returns the RDATA of what a server answers, in presentation form, the
// TTL left in its answer, and whether AD was set. A denial is no records.
func (l *Lab) Records(ctx context.Context, server netip.AddrPort, q Question) (Answer, error) {
	rrtype, ok := dns.StringToType[q.Type]
	if !ok {
		return Answer{}, fmt.Errorf("query %s: unknown type %q", q.Name, q.Type)
	}
	m, err := l.ask(ctx, server, q.Name, rrtype)
	if err != nil {
		return Answer{}, err
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return Answer{}, fmt.Errorf("%s: %s %s: %w", server, q.Name, q.Type, errors.New(dns.RcodeToString[m.Rcode]))
	}
	a := Answer{Secure: m.AuthenticatedData}
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == rrtype {
			a.RDATA = append(a.RDATA, rr.String()[len(rr.Header().String()):])
			a.TTL = time.Duration(rr.Header().Ttl) * time.Second
		}
	}
	return a, nil
}

// A Question is a name and a type, as "TLSA".
type Question struct{ Name, Type string }

// An Answer is what a server said.
type Answer struct {
	RDATA  []string
	TTL    time.Duration
	Secure bool // the AD bit
}
