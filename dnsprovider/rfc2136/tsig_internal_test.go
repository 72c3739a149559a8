package rfc2136

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func testKey(t testing.TB) *key {
	t.Helper()
	algorithm, hash, err := parseAlgorithm("")
	if err != nil {
		t.Fatal(err)
	}
	return &key{name: "tlsaroll.", algorithm: algorithm, macs: secretHash{hash, func() []byte { return []byte("a secret of a test") }}}
}

// signedReply is a reply to a request with that MAC, signed by the library.
func signedReply(t testing.TB, k *key, requestMAC string, now time.Time) []byte {
	t.Helper()
	m := new(dns.Msg).SetUpdate("example.org.")
	m.Response, m.Id = true, 4711
	m.Extra = []dns.RR{&dns.TSIG{
		Hdr:       dns.RR_Header{Name: k.name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: k.algorithm, TimeSigned: uint64(now.Unix()), Fudge: 300, OrigId: m.Id,
	}}
	raw, _, err := dns.TsigGenerateWithProvider(m, k, requestMAC, false)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVerifyAgreesWithTheLibrary(t *testing.T) {
	k, now := testKey(t), time.Now()
	if err := k.verify(signedReply(t, k, "abcd", now), []byte{0xab, 0xcd}, now); err != nil {
		t.Error(err)
	}
	for apart, want := range map[time.Duration]bool{
		299 * time.Second: true, -299 * time.Second: true, 301 * time.Second: false, -302 * time.Second: false,
	} {
		if err := k.verify(signedReply(t, k, "abcd", now), []byte{0xab, 0xcd}, now.Truncate(time.Second).Add(apart)); (err == nil) != want {
			t.Errorf("%s apart: %v", apart, err)
		}
	}
}

// TestEveryBitIsSigned: no bit of a reply can be changed, but for the ID, which is
// compared elsewhere, and letters' case in names, which does not count.
func TestEveryBitIsSigned(t *testing.T) {
	k, now := testKey(t), time.Now()
	raw := signedReply(t, k, "abcd", now)
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			if err := k.verify(changed, []byte{0xab, 0xcd}, now); err == nil && i >= 2 && bit != 5 {
				t.Errorf("octet %d, bit %d may be changed", i, bit)
			}
		}
	}
	if err := k.verify(raw, []byte{0xab, 0xce}, now); !errors.Is(err, errWrongMAC) {
		t.Errorf("the reply to another request: %v", err)
	}
	for n := range raw {
		if err := k.verify(raw[:n:n], []byte{0xab, 0xcd}, now); n >= headerLen && err == nil {
			t.Errorf("%d octets of %d are enough", n, len(raw))
		}
	}
}

func TestLocate(t *testing.T) {
	m := new(dns.Msg).SetQuestion("example.org.", dns.TypeTLSA)
	m.Compress = true
	for range 3 {
		m.Answer = append(m.Answer, &dns.TLSA{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeTLSA, Class: dns.ClassINET}, Certificate: "abcd"})
	}
	m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "org.", Rrtype: dns.TypeNS, Class: dns.ClassINET}, Ns: "ns1.example.org."}}
	m.SetEdns0(1232, false)
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	records, err := locate(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := []uint16{dns.TypeTLSA, dns.TypeTLSA, dns.TypeTLSA, dns.TypeNS, dns.TypeOPT}
	if len(records) != len(want) {
		t.Fatalf("%d records, want %d", len(records), len(want))
	}
	for i, r := range records {
		rr, _, err := dns.UnpackRR(raw, r.offset)
		if err != nil || r.rrtype != want[i] || rr.Header().Rrtype != want[i] || r.additional != (i == 4) {
			t.Errorf("record %d is %+v, %v, %v", i, r, rr, err)
		}
	}
}

// FuzzVerify: nothing that comes over the wire makes it fall over, and nothing but the
// key's own signature passes.
func FuzzVerify(f *testing.F) {
	k, now := testKey(f), time.Unix(1_700_000_000, 0)
	raw := signedReply(f, k, "abcd", now)
	f.Add(raw)
	f.Add(raw[:headerLen])
	f.Add(append(bytes.Clone(raw), raw...))
	f.Fuzz(func(t *testing.T, changed []byte) {
		if len(changed) < headerLen {
			return // refused before
		}
		err := k.verify(changed, []byte{0xab, 0xcd}, now)
		if err == nil && !bytes.EqualFold(changed[2:], raw[2:]) {
			t.Errorf("%x passes", changed)
		}
	})
}

// FuzzInterpret: no reply makes the reader fall over.
func FuzzInterpret(f *testing.F) {
	m := new(dns.Msg).SetQuestion("_25._tcp.mx.example.org.", dns.TypeTLSA)
	m.Response, m.Authoritative = true, true
	m.Answer = []dns.RR{
		&dns.TLSA{Hdr: dns.RR_Header{Name: "_25._tcp.mx.example.org.", Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: 3600}, Usage: 3, Selector: 1, MatchingType: 1, Certificate: "abcd"},
		&dns.CNAME{Hdr: dns.RR_Header{Name: "_25._tcp.mx.example.org.", Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: "example.net."},
	}
	raw, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	p, err := New(Config{Unsigned: true, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < headerLen {
			return // refused before
		}
		request := query("_25._tcp.mx.example.org.", dns.TypeTLSA)
		reply, trouble := p.check(nil, request, raw, nil)
		if (reply == nil) == (trouble == nil) {
			t.Fatalf("reply %v, trouble %v", reply, trouble)
		}
		if trouble != nil {
			return
		}
		seen, trouble := p.interpret("example.org.", "_25._tcp.mx.example.org.", reply)
		if trouble == nil && seen.rrset.TTL < 0 {
			t.Errorf("%+v", seen)
		}
	})
}
