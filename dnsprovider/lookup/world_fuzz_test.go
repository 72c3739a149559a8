package lookup_test

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// FuzzWorld takes a whole look at a name, while a server, or all of one zone, or the
// resolver answers every question of one type with octets of its choice. The look ends;
// no server of the signed zone is seen to give what its key did not sign; what the
// resolver says is secure only where it said so itself.
func FuzzWorld(f *testing.F) {
	forged := func(change func(m *dns.Msg)) []byte {
		m := new(dns.Msg).SetQuestion(string(mx), dns.TypeTLSA)
		m.Response, m.Authoritative = true, true
		m.Answer = []dns.RR{&dns.TLSA{Hdr: dns.RR_Header{Name: string(mx), Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: 60}, Usage: 3, Selector: 1, MatchingType: 1, Certificate: "2222222222222222222222222222222222222222222222222222222222222222"}}
		change(m)
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	for who := range uint8(5) {
		f.Add(who, uint16(dns.TypeTLSA), forged(func(*dns.Msg) {}))
		f.Add(who, uint16(dns.TypeTLSA), forged(func(m *dns.Msg) { m.AuthenticatedData = true }))
		f.Add(who, uint16(dns.TypeTLSA), forged(func(m *dns.Msg) { m.Answer, m.Rcode = nil, dns.RcodeNameError }))
		f.Add(who, uint16(dns.TypeNS), forged(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "example.org."}}
		}))
		f.Add(who, uint16(dns.TypeDNSKEY), forged(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 60}, Flags: 257, Protocol: 3, Algorithm: 13, PublicKey: "AAAA"}}
		}))
		f.Add(who, uint16(dns.TypeTLSA), forged(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: string(mx), Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 60}, Target: string(mx)}}
		}))
		f.Add(who, uint16(dns.TypeSOA), []byte{})
	}
	f.Fuzz(func(t *testing.T, who uint8, qtype uint16, reply []byte) {
		if len(reply) > 2000 {
			return
		}
		synctest.Test(t, func(t *testing.T) { // servers that are not heard take no time
			w := newWorld(t)
			liars := [][]netip.AddrPort{{ns2}, {ns1, ns2, ns2v6}, {orgAddr, orgAddr2}, {rootAddr}, {resolverAt}}[who%5]
			lie := func(q *dns.Msg) *dns.Msg {
				if q.Question[0].Qtype != qtype {
					return nil
				}
				m := new(dns.Msg)
				if m.Unpack(reply) != nil {
					return nil
				}
				m.Id = q.Id
				return m
			}
			var said atomic.Bool // servers are asked side by side
			exchange := func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error) {
				for _, liar := range liars {
					if r := lie(m); server == liar && r != nil {
						if r.AuthenticatedData {
							said.Store(true)
						}
						return r, nil
					}
				}
				return w.exchange(ctx, m, network, server)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			v := w.client(func(c *lookup.Config) { c.Exchange = exchange }).NewPass(nil).Owner(ctx, mx)
			if ctx.Err() != nil {
				t.Error("the look took an hour")
			}
			for _, s := range v.Servers {
				if got := records(s.RRset); who%5 <= 1 && s.Err == "" && (s.Denied || s.Leads != "" || got != "" && got != one) {
					t.Errorf("%s is believed to give %q, denied %v, leads to %q: that is not signed\n%x", s.Address, got, s.Denied, s.Leads, reply)
				}
			}
			if who%5 == 4 && v.Security == lookup.Secure && v.Resolved != nil && records(*v.Resolved) != one && !said.Load() {
				t.Errorf("%q is secure, and the resolver did not say so", records(*v.Resolved))
			}
		})
	})
}
