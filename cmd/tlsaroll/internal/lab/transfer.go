package lab

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// content returns what the primary serves of a zone by a transfer, without the
// SOA record and without what its signing made.
func (l *Lab) content(ctx context.Context, zone string) (records, error) {
	m := new(dns.Msg).SetAxfr(zone)
	deadline := time.Now().Add(restorePatience)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	t := &dns.Transfer{DialTimeout: time.Until(deadline), ReadTimeout: time.Until(deadline), TsigSecret: l.transfer.sign(m, time.Now().Unix())}
	envelopes, err := t.In(m, l.Primary.String())
	if err != nil {
		return nil, fmt.Errorf("transfer of %s: %w", zone, err)
	}
	all := records{}
	for e := range envelopes {
		if e.Error != nil {
			err = fmt.Errorf("transfer of %s: %w", zone, e.Error)
		}
		all.add(e.RR)
	}
	return all, err
}

// records are what a zone's administrator has put into it, as text in lower case.
type records map[string]bool

func (r records) add(rrs []dns.RR) {
	for _, rr := range rrs {
		switch rr.Header().Rrtype {
		case dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY, dns.TypeCDS, dns.TypeCDNSKEY, typeSigning:
		default:
			r[strings.ToLower(rr.String())] = true
		}
	}
}

// typeSigning is BIND's record of how far its signing is.
const typeSigning = 65534

// onDisk waits until the primary's file of the zone has what it serves, and
// returns the records in it: BIND says that it has written it, and then writes.
func (l *Lab) onDisk(ctx context.Context, zone string) (rrs []dns.RR, err error) {
	return rrs, await(ctx, func(ctx context.Context) error {
		served, err := l.content(ctx, zone)
		if err != nil {
			return err
		}
		if rrs, err = readZone(l.path("primary/" + zone + "zone")); err != nil {
			return err
		}
		have := records{}
		have.add(rrs)
		if !maps.Equal(served, have) {
			return fmt.Errorf("zone %s: on disk is not what is served", zone)
		}
		return nil
	})
}

func readZone(path string) ([]dns.RR, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rrs []dns.RR
	parser := dns.NewZoneParser(bytes.NewReader(text), "", path)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rrs = append(rrs, rr)
	}
	return rrs, parser.Err()
}

// soaOf returns the first SOA record, nil where there is none.
func soaOf(rrs []dns.RR) *dns.SOA {
	for _, rr := range rrs {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}
