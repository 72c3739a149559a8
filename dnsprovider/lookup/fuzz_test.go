package lookup

import (
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Whatever a server sends for a signed zone, nothing of it is believed without a
// signature by the zone's key, which no input can make.
func FuzzReply(f *testing.F) {
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 60}, Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	if _, err := key.Generate(256); err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	signed := judge{ring: keyring{zone: "example.org.", keys: []*dns.DNSKEY{key}}, signed: true, now: now}
	const name = "_25._tcp.mx.example.org."
	for _, rr := range []string{
		name + " 60 IN TLSA 3 1 1 aa", name + " 60 IN CNAME x.example.org.", "mx.example.org. 60 IN DNAME y.", "example.org. 60 IN SOA a. b. 1 1 1 1 1",
		"mx.example.org. 60 IN NSEC z.example.org. A", "c9evcs2r2g2oe9p9vgh8ra8lbqp25tsq.example.org. 60 IN NSEC3 1 1 10 AB C9EVCS2R2G2OE9P9VGH8RA8LBQP25TSR A",
		name + " 60 IN RRSIG TLSA 13 5 60 20270101000000 20260101000000 1 example.org. AAAA",
	} {
		r, err := dns.NewRR(rr)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion(name, dns.TypeTLSA)
		m.Response, m.Authoritative = true, true
		m.Answer, m.Ns = []dns.RR{r}, []dns.RR{r}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil {
			return
		}
		referral(m, "example.org.", name)
		deeper(m, "example.org.", name)
		nsSetOf(m.Ns, m.Extra, "example.org.", "org.")
		extended(m)
		newAnswer(m)
		for _, j := range []judge{signed, {now: now}} {
			s := sighting{zone: "example.org.", name: name}
			s.read(j, m)
			if j.signed && s.err == nil {
				t.Errorf("believed: %#v\n%v", s, m)
			}
			s.view(time.Hour)
		}
	})
}

func FuzzParseHidden(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "[2001:db8::1]:53", "ns1.example.org:5353", "ns1", "", ":", "a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		name, addr, err := parseHidden(word, 53)
		if err == nil && (name == "") != addr.Addr().IsValid() {
			t.Errorf("%q: %q, %s", word, name, addr)
		}
		if err == nil && addr.Port() == 0 {
			t.Errorf("%q: port 0", word)
		}
	})
}
