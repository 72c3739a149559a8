package lookup

import (
	"crypto"
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A testKey signs for example.org.
func testKey(t *testing.T, algorithm uint8, bits int) (*dns.DNSKEY, crypto.Signer) {
	t.Helper()
	k := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 60}, Flags: 256, Protocol: 3, Algorithm: algorithm}
	priv, err := k.Generate(bits)
	for err == nil && k.KeyTag() == 0 { // which the library does not sign with
		priv, err = k.Generate(bits)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k, priv.(crypto.Signer)
}

func sign(t *testing.T, k *dns.DNSKEY, s crypto.Signer, end time.Time, rrs ...dns.RR) *dns.RRSIG {
	t.Helper()
	sig := &dns.RRSIG{Hdr: dns.RR_Header{Ttl: 60}, Algorithm: k.Algorithm, KeyTag: k.KeyTag(), SignerName: "example.org.",
		Inception: uint32(end.Add(-24 * time.Hour).Unix()), Expiration: uint32(end.Unix())}
	if err := sig.Sign(s, rrs); err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestVerifyManySignatures(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	rr, err := dns.NewRR("x.example.org. 60 IN TLSA 3 1 1 aa")
	if err != nil {
		t.Fatal(err)
	}
	ec, ecSigner := testKey(t, dns.ECDSAP256SHA256, 256)
	ed, edSigner := testKey(t, dns.ED25519, 256)
	revoked, revokedSigner := testKey(t, dns.ECDSAP256SHA256, 256)
	revoked.Flags |= dns.REVOKE
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	by := func(k *dns.DNSKEY, s crypto.Signer, end int) *dns.RRSIG { return sign(t, k, s, hour(end), rr) }
	tests := []struct {
		name  string
		sigs  []*dns.RRSIG
		until time.Time // zero: refused
		fault Fault
	}{
		{"one", []*dns.RRSIG{by(ec, ecSigner, 5)}, hour(5), ""},
		{"the later of one algorithm", []*dns.RRSIG{by(ec, ecSigner, 5), by(ec, ecSigner, 9), by(ec, ecSigner, 7)}, hour(9), ""},
		{"the earlier of two algorithms, for not all know both", []*dns.RRSIG{by(ec, ecSigner, 9), by(ed, edSigner, 5)}, hour(5), ""},
		{"an expired one beside", []*dns.RRSIG{by(ec, ecSigner, -1), by(ec, ecSigner, 3)}, hour(3), ""},
		{"expired", []*dns.RRSIG{by(ec, ecSigner, -1)}, time.Time{}, FaultExpired},
		{"at its very end", []*dns.RRSIG{by(ec, ecSigner, 0)}, hour(0), ""},
		{"not yet", []*dns.RRSIG{by(ec, ecSigner, 25)}, time.Time{}, FaultEarly},
		{"from its very beginning", []*dns.RRSIG{by(ec, ecSigner, 24)}, hour(24), ""},
		{"by a revoked key", []*dns.RRSIG{by(revoked, revokedSigner, 5)}, time.Time{}, FaultBadSignature},
		{"none", nil, time.Time{}, FaultUnsigned},
	}
	ring := keyring{zone: "example.org.", keys: []*dns.DNSKEY{ec, ed, revoked}}
	for _, test := range tests {
		got, err := ring.verify(rrset{name: "x.example.org.", rtype: dns.TypeTLSA, rrs: []dns.RR{rr}, sigs: test.sigs}, now)
		if (err == nil) != (test.fault == "") || (err != nil && faultOf(err) != test.fault) || !got.until.Equal(test.until) {
			t.Errorf("%s: until %s, %v; want until %s, %q", test.name, got.until, err, test.until, test.fault)
		}
		if err == nil && got.lasts != 24*time.Hour {
			t.Errorf("%s: it lasts %s", test.name, got.lasts)
		}
	}
}

// TestLabelsOfWhatVerifies: that a wildcard was expanded is said by a signature that verifies, and
// not by one that nobody can check.
func TestLabelsOfWhatVerifies(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	star, err := dns.NewRR("*.example.org. 60 IN TLSA 3 1 1 aa")
	if err != nil {
		t.Fatal(err)
	}
	k, signer := testKey(t, dns.ED25519, 256)
	unknown := dns.Copy(k).(*dns.DNSKEY)
	unknown.Algorithm = dns.ED448
	good := sign(t, k, signer, now.Add(time.Hour), star)
	rr := dns.Copy(star)
	rr.Header().Name, good.Hdr.Name = "x.example.org.", "x.example.org."
	untested := *good
	untested.Algorithm, untested.KeyTag, untested.Labels = unknown.Algorithm, unknown.KeyTag(), 3
	ring := keyring{zone: "example.org.", keys: []*dns.DNSKEY{k, unknown}}
	for _, sigs := range [][]*dns.RRSIG{{good, &untested}, {&untested, good}} {
		got, err := ring.verify(rrset{name: "x.example.org.", rtype: dns.TypeTLSA, rrs: []dns.RR{rr}, sigs: sigs}, now)
		if err != nil || got.proof != Verified || got.labels != 2 {
			t.Errorf("%s, %d labels, %v", got.proof, got.labels, err)
		}
	}
}

func TestSignatureTimesWrapAround(t *testing.T) {
	// RFC 4034, section 3.1.5: the 32 bits run over in 2106.
	now := time.Date(2106, 2, 7, 6, 28, 0, 0, time.UTC)
	if got, want := near(60, now), now.Add(76*time.Second); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := near(1<<32-60, now), now.Add(-44*time.Second); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestVerifyIsBounded(t *testing.T) {
	// Keys that share a tag and signatures that do not verify (CVE-2023-50387).
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	rr, err := dns.NewRR("x.example.org. 60 IN TLSA 3 1 1 aa")
	if err != nil {
		t.Fatal(err)
	}
	k, s := testKey(t, dns.ECDSAP256SHA256, 256)
	good := sign(t, k, s, now.Add(time.Hour), rr)
	set := rrset{name: "x.example.org.", rtype: dns.TypeTLSA, rrs: []dns.RR{rr}}
	for i := range maxSigs {
		bad := *good
		bad.Signature = fmt.Sprintf("%086d==", i)
		set.sigs = append(set.sigs, &bad)
	}
	ring := keyring{zone: "example.org.", keys: []*dns.DNSKEY{k}}
	if _, err := ring.verify(set, now); err == nil {
		t.Error("bad signatures verify")
	}
	set.sigs = append(set.sigs, good)
	if _, err := ring.verify(set, now); err == nil {
		t.Error("the seventeenth signature was tried")
	}
}
