package audit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// leafLike is a chain whose leaf differs in some way from one for mx1.example.org.
func (c cast) leafLike(key crypto.Signer, change func(*x509.Certificate)) *tlsa.Chain {
	template := &x509.Certificate{DNSNames: []string{mx1}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	change(template)
	return chainOf(c.T, c.ca.sign(template, c.ca.ca, key.Public(), c.ca.key), c.ca.ca)
}

// matched is a host that presents a chain that its records match.
func (c cast) matched(chain *tlsa.Chain, changes ...func(*Handshake)) func(*Domain) {
	a := modern("192.0.2.1", chain)
	for _, change := range changes {
		a = on(a, func(h Handshake) bool { return h.Chain != nil }, change)
	}
	return all(records(c.ee(chain), c.ee(c.next)), addresses(a))
}

func distrusted(why string) func(*Handshake) { return func(h *Handshake) { h.Untrusted = why } }

func (c cast) certificateRows() []findingRow {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		c.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		c.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		c.Fatal(err)
	}
	same := func(*x509.Certificate) {}
	until := func(days int) func(*x509.Certificate) {
		return func(t *x509.Certificate) { t.NotAfter = now.AddDate(0, 0, days) }
	}
	ended := c.leafLike(newKey(c.T), until(-1))
	alone := chainOf(c.T, c.chain.Leaf())
	return []findingRow{
		{code: rollover.CodeCertificateDates, bad: c.matched(ended, distrusted("expired")), good: c.matched(c.other), text: []string{"192.0.2.1", ended.LeafID()[:8], "2026-02-28"}, result: "certificate-expired"},
		{code: rollover.CodeCertificateDates, bad: c.matched(c.leafLike(newKey(c.T), func(t *x509.Certificate) { t.NotBefore = now.AddDate(0, 0, 1) })), good: all(records(c.ta(c.chain)), addresses(modern("192.0.2.1", ended))), text: []string{"begins on 2026-03-02"}, result: "certificate-expired"},
		{code: rollover.CodeExpiresSoon, bad: c.matched(c.leafLike(newKey(c.T), until(3))), good: c.matched(c.leafLike(newKey(c.T), until(8))), text: []string{"2026-03-04", "72 hours"}, fix: "before the server presents it"},
		{code: rollover.CodeCertificateName, bad: c.matched(c.ca.chain(leafOf{names: []string{"www.example.net"}})), text: []string{"www.example.net"}, result: "certificate-host-mismatch"},
		{code: rollover.CodeCertificateUntrusted, bad: c.matched(c.chain, distrusted("unknown authority")), good: c.matched(ended, distrusted("expired")), text: []string{"unknown authority"}, result: "certificate-not-trusted"},
		{code: rollover.CodeCertificateUntrusted, bad: c.matched(alone, distrusted("unknown authority")), text: []string{"sends it alone"}, result: "certificate-not-trusted"},
		{code: rollover.CodeKeyWeak, bad: c.matched(c.leafLike(short, same)), good: c.matched(c.rsa), text: []string{"1024 bits"}, result: "validation-failure"},
		{code: rollover.CodeKeyRare, bad: c.matched(c.leafLike(edwards, same)), good: c.matched(c.rsa), text: []string{"Ed25519"}},
		{code: rollover.CodeKeyRare, bad: c.matched(c.leafLike(large, same)), text: []string{"P-521"}},
	}
}

func (c cast) caaRows() []findingRow {
	sets := []IssuerSet{{Name: "example", CAA: "ca.example.net", Current: []tlsa.Association{c.ta(c.chain)}}}
	caa := func(records ...string) func(*Domain) {
		return onHost(func(h *Host) { h.CAA, h.IssuerSets = rollover.Seen(records), sets })
	}
	private := onHost(func(h *Host) { h.Addresses[0] = on(h.Addresses[0], withSNI, distrusted("unknown authority")) })
	wild := c.matched(c.ca.chain(leafOf{names: []string{"*.example.org"}}))
	return []findingRow{
		{code: rollover.CodeCAANone, bad: caa(), good: onHost(func(h *Host) { h.CAA = rollover.Unseen[[]string]("timed out") }), text: []string{mx1}},
		{code: rollover.CodeCAANone, bad: caa(`0 iodef "mailto:security@example.org"`)},
		{code: rollover.CodeCAAExcludes, bad: caa(`0 issue "other.example.com"`), good: caa(`0 issue "other.example.com"`, `0 issue "CA.example.net; validationmethods=dns-01"`), text: []string{"its CA is ca.example.net", "other.example.com"}},
		{code: rollover.CodeCAAExcludes, bad: caa(`0 issue ";"`), good: all(addresses(modern("192.0.2.1", c.chain)), caa(`0 issue ";"`), private), text: []string{"let no CA issue"}},
		{code: rollover.CodeCAAExcludes, bad: caa(`0 issue "ca.example.net"`, `128 tbs "unknown"`), good: caa(`0 issue "ca.example.net"`, `0 tbs "unknown"`), text: []string{"tbs"}},
		{code: rollover.CodeCAAExcludes, bad: all(wild, caa(`0 issue "ca.example.net"`, `0 issuewild "other.example.com"`)), good: all(wild, caa(`0 issue "other.example.com"`, `0 issuewild "ca.example.net"`)), text: []string{"other.example.com"}},
	}
}
