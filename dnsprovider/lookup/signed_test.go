package lookup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

func TestSignatureFaults(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name   string
		change func(z *authZone) // of the copy at ns2
		fault  lookup.Fault
		text   string
	}{
		{"expired on one server", func(z *authZone) { z.inception, z.expiration = z.now.Add(-15*day), z.now.Add(-time.Hour) },
			lookup.FaultExpired, "the zone's keys: example.org. DNSKEY: signature expired 2026-11-22T11:00:00Z"},
		{"signer's clock ahead", func(z *authZone) { z.inception = z.now.Add(time.Hour) },
			lookup.FaultEarly, "the zone's keys: example.org. DNSKEY: signature not valid before 2026-11-22T13:00:00Z (hint: is the signer's clock right, and this host's?)"},
		{"record's signature expired", func(z *authZone) {
			z.spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.Expiration = uint32(z.now.Add(-time.Second).Unix()) })
		}, lookup.FaultExpired, "_25._tcp.mx.example.org. TLSA: signature expired 2026-11-22T11:59:59Z"},
		{"record changed after signing", func(z *authZone) {
			z.spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.Signature = other(s.Signature) })
		}, lookup.FaultBadSignature, "_25._tcp.mx.example.org. TLSA: the signature with key N (ECDSAP256SHA256) does not fit the records"},
		{"no signature", func(z *authZone) {
			z.omit = func(rr dns.RR) bool {
				s, ok := rr.(*dns.RRSIG)
				return ok && s.TypeCovered == dns.TypeTLSA
			}
		}, lookup.FaultUnsigned, "no RRSIG over _25._tcp.mx.example.org. TLSA"},
		{"signed by a key that the server does not give", func(z *authZone) {
			z.spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.KeyTag++ })
		}, lookup.FaultBadSignature, "_25._tcp.mx.example.org. TLSA: signed with key N (ECDSAP256SHA256), which is not among the zone's DNSKEYs at this server"},
		{"signed by the parent", func(z *authZone) {
			z.spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.SignerName = "org." })
		}, lookup.FaultBadSignature, "_25._tcp.mx.example.org. TLSA: signed by org., not by the zone example.org."},
		{"another key than at the parent", func(z *authZone) { z.newKey(257) },
			lookup.FaultBadKeys, "the zone's keys: example.org. DNSKEY: signed with key N (ECDSAP256SHA256), which is not among the zone's DNSKEYs at this server"},
		{"copy from before signing", func(z *authZone) { z.key = nil },
			lookup.FaultUnsigned, "the zone's keys: example.org. DNSKEY: none, but the zone is signed"},
		{"revoked key", func(z *authZone) {
			z.key = dns.Copy(z.key).(*dns.DNSKEY)
			z.key.Flags |= dns.REVOKE
		}, lookup.FaultBadKeys, "the zone's keys: example.org. DNSKEY: signed with key N (ECDSAP256SHA256), which is not among the zone's DNSKEYs at this server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w.own(ns2, "example.org."))
			v := w.look(mx)
			s := at(t, v, ns2)
			if got := withoutTag(s.Err); s.Fault != test.fault || got != test.text {
				t.Errorf("fault %s: %s\nwant  %s: %s", s.Fault, got, test.fault, test.text)
			}
			if s.Signed() || !s.SignedUntil.IsZero() || s.Proof != "" {
				t.Errorf("an unknown answer proves nothing: %#v", s)
			}
			if o := at(t, v, ns1); o.Err != "" {
				t.Errorf("another server suffers: %s", o.Err)
			}
			if v.Security != lookup.Secure {
				t.Errorf("security %s", v.Security)
			}
		})
	}
}

// spoil changes signatures over a type.
func spoil(covered uint16, f func(*dns.RRSIG)) func(*dns.RRSIG) {
	return func(s *dns.RRSIG) {
		if s.TypeCovered == covered {
			f(s)
		}
	}
}

// other changes the first bits of a signature.
func other(signature string) string {
	if signature[0] == 'A' {
		return "B" + signature[1:]
	}
	return "A" + signature[1:]
}

// withoutTag replaces the key tag, which differs from run to run.
func withoutTag(text string) string {
	before, after, ok := strings.Cut(text, "key ")
	if !ok {
		return text
	}
	return before + "key N" + strings.TrimLeft(after, "0123456789")
}

func TestContentWithABadSignatureIsShownButNotBelieved(t *testing.T) {
	w := newWorld(t)
	w.own(ns2, "example.org.").spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.KeyTag++ })
	s := at(t, w.look(mx), ns2)
	if s.Err == "" || records(s.RRset) != one || s.RRset.TTL != 30*time.Minute {
		t.Errorf("%#v", s)
	}
}

func TestSignedUntilIsTheFirstEnd(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	if s := at(t, w.look(mx), ns1); !s.SignedUntil.Equal(z.expiration) {
		t.Errorf("signed until %s, want %s", s.SignedUntil, z.expiration)
	}
	z.keysUntil = z.now.Add(2 * time.Hour) // the DNSKEY RRset's signature ends before the record's
	if s := at(t, w.look(mx), ns1); !s.SignedUntil.Equal(z.keysUntil) {
		t.Errorf("signed until %s, want %s", s.SignedUntil, z.keysUntil)
	}
}

func TestKeyRolloverKnownOnlyByTheDS(t *testing.T) {
	// The resolver's cache still holds the DNSKEY RRset of before; the parent has
	// the DS of both keys (RFC 6781, section 4.1.2).
	w := newWorld(t)
	z := w.zones["example.org."]
	before := *z
	z.newKey(257)
	w.zones["org."].records = append(w.zones["org."].records, z.ds())
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype != dns.TypeDNSKEY || q.Question[0].Name != "example.org." {
			return nil
		}
		r := before.answer(q)
		r.AuthenticatedData = true
		return r
	}
	v := w.look(mx)
	if s := at(t, v, ns1); s.Err != "" || s.Proof != lookup.Verified {
		t.Errorf("proof %s, error %q", s.Proof, s.Err)
	}
}

func TestDSThatIsNotSecureProvesNothing(t *testing.T) {
	w := newWorld(t)
	forger := w.own(ns2, "example.org.")
	forger.newKey(257)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype != dns.TypeDS {
			return nil
		}
		r := new(dns.Msg).SetReply(q)
		r.Answer = []dns.RR{forger.ds()}
		return r
	}
	if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultBadKeys {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
}

func TestServersWithDifferentKeys(t *testing.T) {
	w := newWorld(t)
	second := w.own(ns2, "example.org.")
	second.newKey(257)
	w.zones["org."].records = append(w.zones["org."].records, second.ds())
	v := w.look(mx)
	if s := at(t, v, ns2); s.Err != "" {
		t.Errorf("its key stands in the DS: %s", s.Err)
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingKeysDiffer}) {
		t.Errorf("findings %v", v.Findings)
	}
}

func TestUnsupportedAlgorithmRestsOnTheResolver(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.newUnknownKey()
	up := w.zones["org."]
	up.drop("example.org.", dns.TypeDS)
	up.records = append(up.records, z.ds())
	v := w.look(mx)
	s := at(t, v, ns1)
	if s.Err != "" || s.Proof != lookup.ByResolver || !s.Signed() || !s.SignedUntil.Equal(z.expiration) {
		t.Errorf("proof %s until %s, error %q", s.Proof, s.SignedUntil, s.Err)
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingUnverified}) {
		t.Errorf("findings %v", v.Findings)
	}
	if v.Security != lookup.Secure {
		t.Errorf("security %s: %s", v.Security, v.SecurityText)
	}
}

func TestUnsupportedAlgorithmStillHasATime(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.newUnknownKey()
	up := w.zones["org."]
	up.drop("example.org.", dns.TypeDS)
	up.records = append(up.records, z.ds())
	w.own(ns2, "example.org.").expiration = z.now.Add(-time.Hour)
	if s := at(t, w.look(mx), ns2); s.Err == "" || !strings.Contains(s.Err, "signature expired") {
		t.Errorf("error %q", s.Err)
	}
}

func TestUnsupportedAlgorithmNeedsItsKey(t *testing.T) {
	// Anyone can claim an algorithm that cannot be checked: without such a key in
	// the zone the claim is worth nothing.
	w := newWorld(t)
	w.own(ns2, "example.org.").spoil = spoil(dns.TypeTLSA, func(s *dns.RRSIG) { s.Algorithm = dns.ED448 })
	if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultBadSignature {
		t.Errorf("fault %q, proof %s", s.Fault, s.Proof)
	}
}

func TestAlgorithms(t *testing.T) {
	for alg, bits := range map[uint8]int{dns.RSASHA256: 2048, dns.ECDSAP384SHA384: 384, dns.ED25519: 256} {
		t.Run(dns.AlgorithmToString[alg], func(t *testing.T) {
			w := newWorld(t)
			z := w.zones["example.org."]
			z.key.Algorithm = alg
			priv, err := z.key.Generate(bits)
			if err != nil {
				t.Fatal(err)
			}
			z.setSigner(priv)
			up := w.zones["org."]
			up.drop("example.org.", dns.TypeDS)
			up.records = append(up.records, z.ds())
			if s := at(t, w.look(mx), ns1); s.Err != "" || s.Proof != lookup.Verified {
				t.Errorf("proof %s, error %q", s.Proof, s.Err)
			}
		})
	}
}

func TestUnsignedZone(t *testing.T) {
	for _, owner := range []string{"records", "denial"} {
		t.Run(owner, func(t *testing.T) {
			w := newWorld(t)
			w.zones["example.org."].key = nil
			w.zones["org."].drop("example.org.", dns.TypeDS)
			if owner == "denial" {
				w.zones["example.org."].drop(string(mx))
			}
			v := w.look(mx)
			s := at(t, v, ns1)
			if s.Err != "" || s.Proof != lookup.Unproved || s.Signed() || s.Denied != (owner == "denial") {
				t.Errorf("%#v", s)
			}
			if v.Security != lookup.Insecure || !strings.Contains(v.SecurityText, "no chain of trust") {
				t.Errorf("security %s: %s", v.Security, v.SecurityText)
			}
		})
	}
}

func TestSignedZoneWithoutDS(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].drop("example.org.", dns.TypeDS)
	w.zones["example.org."].expiration = w.now.Add(-time.Hour) // nobody checks them
	v := w.look(mx)
	if v.Security != lookup.Insecure || !cmp.Equal(codes(v), []string{lookup.FindingNoDS}) {
		t.Errorf("security %s, findings %v", v.Security, v.Findings)
	}
	if s := at(t, v, ns1); s.Err != "" || s.Proof != lookup.Unproved || !s.SignedUntil.IsZero() {
		t.Errorf("%#v", s)
	}
}

func TestBogusZone(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].expiration = w.now.Add(-time.Hour)
	v := w.look(mx)
	if v.Security != lookup.Bogus || !strings.HasSuffix(v.SecurityText, "are broken [Signature Expired]") || v.Resolved != nil {
		t.Errorf("security %s: %s, resolved %v", v.Security, v.SecurityText, v.Resolved)
	}
	if v.Zone != "example.org." || len(v.Servers) != 3 {
		t.Errorf("a bogus zone can be found: zone %q, servers %v, error %q", v.Zone, names(v), v.Err)
	}
	if s := at(t, v, ns1); s.Fault != lookup.FaultExpired || !strings.Contains(s.Err, "signature expired") {
		t.Errorf("fault %s: %s", s.Fault, s.Err)
	}
}

func TestZoneKeysChangedDuringTheWait(t *testing.T) {
	// The key for signing is rolled by pre-publication, NSEC becomes NSEC3, a server lags.
	w := newWorld(t)
	z := w.zones["example.org."]
	next := *z
	next.newKey(256)
	z.extraKeys = []*dns.DNSKEY{next.key}
	w.own(ns2, "example.org.").extraKeys = []*dns.DNSKEY{next.key}
	w.zones["example.org."].nsec3 = true
	v := w.look(mx)
	for _, s := range v.Servers {
		if s.Err != "" || s.Proof != lookup.Verified {
			t.Errorf("%s: %s", s.Server, s.Err)
		}
	}
	if got := codes(v); len(got) > 0 {
		t.Errorf("findings %v", v.Findings)
	}
}
