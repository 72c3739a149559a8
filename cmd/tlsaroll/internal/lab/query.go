package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	queryTimeout = 2 * time.Second
	queryTries   = 3 // over UDP: on a busy machine a server may miss one
)

// ask sends one question with DO and AD set and returns the answer whatever its RCODE.
func (l *Lab) ask(ctx context.Context, server netip.AddrPort, name string, rrtype uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), rrtype)
	m.SetEdns0(1232, true)
	m.AuthenticatedData = true
	client := &dns.Client{Timeout: queryTimeout}
	var reply *dns.Msg
	var err error
	for range queryTries {
		if reply, _, err = client.ExchangeContext(ctx, m, server.String()); !timedOut(err) || ctx.Err() != nil {
			break
		}
	}
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, m, server.String())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s %s: %w", server, name, dns.TypeToString[rrtype], err)
	}
	return reply, nil
}

func timedOut(err error) bool {
	late, ok := errors.AsType[net.Error](err)
	return ok && late.Timeout()
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

// A Question is a name and a type, as "TLSA".
type Question struct{ Name, Type string }

// An Answer is what a server said. A denial has no records.
type Answer struct {
	RDATA  []string      // in presentation form, hex in lower case, sorted
	TTL    time.Duration // what is left of it
	Secure bool          // the AD bit
}

// Query asks a server of the lab. An RCODE other than NOERROR and NXDOMAIN is an error.
func (l *Lab) Query(ctx context.Context, server netip.AddrPort, q Question) (Answer, error) {
	rrtype, ok := dns.StringToType[q.Type]
	if !ok {
		return Answer{}, fmt.Errorf("query %s: unknown type %q", q.Name, q.Type)
	}
	m, err := l.ask(ctx, server, q.Name, rrtype)
	if err != nil {
		return Answer{}, err
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return Answer{}, fmt.Errorf("%s: %s %s: %s", server, q.Name, q.Type, dns.RcodeToString[m.Rcode])
	}
	a := Answer{Secure: m.AuthenticatedData}
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == rrtype {
			a.RDATA = append(a.RDATA, rdata(rr))
			a.TTL = time.Duration(rr.Header().Ttl) * time.Second
		}
	}
	slices.Sort(a.RDATA)
	return a, nil
}

// Next is the name that follows an existing one in the chain of NSEC records of a server
// (RFC 4034, section 4.1.1), which a resolver may conclude from that there is none
// in between (RFC 8198). A name that has no place in the chain is an error.
func (l *Lab) Next(ctx context.Context, server netip.AddrPort, name string) (string, error) {
	m, err := l.ask(ctx, server, name, dns.TypeHINFO) // which nothing here has
	if err != nil {
		return "", err
	}
	for _, rr := range m.Ns {
		if nsec, ok := rr.(*dns.NSEC); ok && nsec.Hdr.Name == dns.Fqdn(name) {
			return nsec.NextDomain, nil
		}
	}
	return "", fmt.Errorf("%s: %s: no place in the chain of NSEC records: %v", server, name, m.Ns)
}

// rdata is a record's RDATA in presentation form, hex in lower case.
func rdata(rr dns.RR) string {
	return strings.ToLower(strings.TrimPrefix(rr.String(), rr.Header().String()))
}
