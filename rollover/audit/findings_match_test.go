package audit

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func chainOf(t *testing.T, certs ...*x509.Certificate) *tlsa.Chain {
	t.Helper()
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func (c cast) matchRows() []findingRow {
	current, next, issuer := c.ee(c.chain), c.ee(c.next), c.ta(c.chain)
	leaf, ca, root := c.chain.Leaf(), c.ca.ca, c.ca.root
	ofRoot, err := tlsa.Associate(tlsa.TA, root)
	if err != nil {
		c.Fatal(err)
	}
	good, stale := modern("192.0.2.1", c.chain), modern("192.0.2.2", c.other)
	agile := c.of(c.next, tlsa.DANEEE, tlsa.SPKI, tlsa.SHA512)
	ended := c.ca.chain(leafOf{ended: true})
	elsewhere := c.ca.chain(leafOf{names: []string{"www.example.net"}})
	oldCA := c.ca.sign(func() *x509.Certificate {
		template := caTemplate("Intermediate")
		template.NotAfter = now.AddDate(0, 0, -1)
		return template
	}(), root, ca.PublicKey, c.ca.rootKey)
	renewed := c.ca.renewed(c.chain)
	anew := chainOf(c.T, leaf, c.ca.sign(caTemplate("Intermediate"), root, ca.PublicKey, c.ca.rootKey)) // of the same key
	return []findingRow{
		{code: rollover.CodeServedUnmatched, bad: addresses(modern("192.0.2.1", c.other)), good: addresses(good),
			text: []string{mx1, "192.0.2.1", c.other.LeafID()[:8], "2026-02-01", base1, current.String()[:14], next.String()[:14]}, fix: "IN TLSA " + c.ee(c.other).String(), result: "tlsa-invalid"},
		{code: rollover.CodeServedUnmatched, bad: addresses(dual("192.0.2.1", c.other, c.rsa), dual("192.0.2.2", c.other, c.rsa)), text: []string{"192.0.2.1 and 192.0.2.2"}, result: "tlsa-invalid"},
		{code: rollover.CodeAddressUnmatched, bad: addresses(good, stale), good: addresses(good, modern("192.0.2.2", c.chain)), text: []string{"192.0.2.2 presents", "192.0.2.1 presents is matched"}, fix: c.ee(c.other).Data, result: "tlsa-invalid"},
		{code: rollover.CodeAddressUnmatched, bad: addresses(dual("192.0.2.1", c.chain, c.chain), dual("192.0.2.2", c.other, c.rsa)), result: "tlsa-invalid"},
		{code: rollover.CodeAddressUnmatched, bad: addresses(on(good, func(h Handshake) bool { return h.SNI && h.Algorithm == "ecdsa" }, func(h *Handshake) { h.Chain = c.other })),
			text: []string{"192.0.2.1 presents", "on some connections", "more than one server"}, fix: "Give every machine", result: "tlsa-invalid"},
		{code: rollover.CodeAddressUnmatched, bad: all(records(issuer), addresses(good, modern("192.0.2.2", chainOf(c.T, leaf)))), text: []string{"192.0.2.2"}, result: "tlsa-invalid"},
		{code: rollover.CodeAlgorithmUnmatched, bad: addresses(dual("192.0.2.1", c.chain, c.rsa)), good: all(records(current, next, c.ee(c.rsa)), addresses(dual("192.0.2.1", c.chain, c.rsa))),
			text: []string{"ask for RSA", "that for ECDSA"}, fix: c.ee(c.rsa).Data, result: "tlsa-invalid"},
		{code: rollover.CodeAlgorithmUnmatched, bad: all(records(c.ee(c.rsa), next), addresses(dual("192.0.2.1", c.chain, c.rsa))), text: []string{"ask for ECDSA"}, result: "tlsa-invalid"},
		{code: rollover.CodeNoSNIUnmatched, bad: addresses(on(good, withoutSNI, presenting(c.other))), text: []string{"does not send SNI"}, fix: c.ee(c.other).Data, result: "tlsa-invalid"},
		{code: rollover.CodeDigestAgility, bad: records(current, agile), good: records(current, next, agile, c.of(c.chain, tlsa.DANEEE, tlsa.SPKI, tlsa.SHA512)),
			text: []string{current.String()[:14], agile.String()[:14], "pass over it"}, result: "tlsa-invalid"},
		{code: rollover.CodeComboUnmatched, bad: records(current, ofRoot), good: all(records(current, ofRoot), addresses(modern("192.0.2.1", chainOf(c.T, leaf, ca, root)))), text: []string{"2 1 1", ofRoot.Data[:8]}, result: "tlsa-invalid"},
		{code: rollover.CodeComboUnmatched, bad: records(current, c.ta(renewed)), good: records(current, issuer, c.ta(renewed)), text: []string{"2 1 1"}, result: "tlsa-invalid"},
		{code: rollover.CodeAnchorNotServed, bad: records(ofRoot), good: all(records(ofRoot), addresses(modern("192.0.2.1", chainOf(c.T, leaf, ca, root)))), text: []string{ofRoot.Data[:8]}, fix: current.String(), result: "tlsa-invalid"},
		{code: rollover.CodeAnchorNotServed, bad: all(records(issuer), addresses(modern("192.0.2.1", renewed))), result: "tlsa-invalid"},
		{code: rollover.CodeAnchorNotServed, bad: all(records(c.of(c.chain, tlsa.DANETA, tlsa.Cert, tlsa.SHA256)), addresses(modern("192.0.2.1", anew))), good: all(records(issuer), addresses(modern("192.0.2.1", anew))),
			fix: "its 2 1 1 matches both", result: "tlsa-invalid"},
		{code: rollover.CodeAnchorPath, bad: all(records(ofRoot), addresses(modern("192.0.2.1", chainOf(c.T, leaf, root)))), good: addresses(modern("192.0.2.1", chainOf(c.T, leaf, root))), text: []string{"lacks a CA certificate"}, result: "certificate-not-trusted"},
		{code: rollover.CodeAnchorDates, bad: all(records(issuer), addresses(modern("192.0.2.1", ended))), good: records(issuer), text: []string{"ended"}, fix: c.ee(ended).Data, result: "certificate-expired"},
		{code: rollover.CodeAnchorDates, bad: all(records(ofRoot), addresses(modern("192.0.2.1", chainOf(c.T, leaf, oldCA, root)))), good: all(records(current, next), addresses(modern("192.0.2.1", chainOf(c.T, leaf, oldCA, root)))), text: []string{"depth 1"}, result: "certificate-expired"},
		{code: rollover.CodeNameMissing, bad: all(records(issuer), addresses(modern("192.0.2.1", elsewhere))), good: all(records(issuer), addresses(modern("192.0.2.1", c.ca.chain(leafOf{names: []string{"example.org"}})))), text: []string{"www.example.net"}, result: "certificate-host-mismatch"},
	}
}

func (c cast) tlsRows() []findingRow {
	good := modern("192.0.2.1", c.chain)
	noTLS := without("192.0.2.1", rollover.NoTLS, "502 command not implemented")
	putOff := without("192.0.2.1", rollover.NoTLS, "454 TLS not available")
	for i := range putOff.Handshakes {
		putOff.Handshakes[i].Temporary, putOff.Handshakes[i].ResultType = true, "starttls-not-supported"
	}
	takes := func(a Address, versions ...uint16) Address {
		a.TLS = &TLS{Versions: versions}
		return a
	}
	slow := good
	slow.Greeted = 31 * time.Second
	patient := good
	patient.Greeted = 9 * time.Second
	return []findingRow{
		{code: rollover.CodeNoTLS, bad: addresses(good, on(modern("192.0.2.2", c.chain), func(Handshake) bool { return true }, failing(rollover.NoTLS, "502"))), good: addresses(good), text: []string{"192.0.2.2", "502"}, result: "starttls-not-supported"},
		{code: rollover.CodeSTARTTLSPutOff, bad: addresses(putOff), good: addresses(noTLS), text: []string{"454"}, result: "starttls-not-supported"},
		{code: rollover.CodePlaintextOnly, bad: all(records(), addresses(noTLS)), good: addresses(noTLS), text: []string{"192.0.2.1", "502"}, result: "starttls-not-supported"},
		{code: rollover.CodePlaintextOnly, bad: all(records(), addresses(putOff)), result: "starttls-not-supported"},
		{code: rollover.CodeNoTLS, bad: addresses(on(dual("192.0.2.1", c.chain, c.rsa), func(h Handshake) bool { return h.Algorithm == "rsa" }, failing(rollover.NoTLS, "handshake failure"))),
			good: all(records(), addresses(on(dual("192.0.2.1", c.chain, c.rsa), func(h Handshake) bool { return h.Algorithm == "rsa" }, failing(rollover.NoTLS, "handshake failure")))), text: []string{"to who asks for rsa"}, result: "starttls-not-supported"},
		{code: rollover.CodeSNIDemanded, bad: addresses(on(good, withoutSNI, failing(rollover.NoTLS, "unrecognized name"))), text: []string{"unrecognized name"}, result: "validation-failure"},
		{code: rollover.CodeSNIDemanded, bad: addresses(on(on(dual("192.0.2.1", c.chain, c.rsa), func(h Handshake) bool { return h.Algorithm == "rsa" }, failing(rollover.NoTLS, "no key")), withoutSNI, failing(rollover.NoTLS, "unrecognized name"))),
			also: []rollover.Code{rollover.CodeNoTLS}, text: []string{"unrecognized name"}, result: "validation-failure"},
		{code: rollover.CodeEndpointUnseen, bad: addresses(good, without("192.0.2.2", rollover.Unreached, "timed out")), text: []string{"192.0.2.2", "timed out"}},
		{code: rollover.CodeEndpointUnseen, bad: addresses(without("192.0.2.1", rollover.Unreached, "timed out"), without("192.0.2.2", rollover.Unreached, "timed out")), text: []string{"192.0.2.1 and 192.0.2.2 do not"}},
		{code: rollover.CodeEndpointUnseen, bad: addresses(on(good, func(h Handshake) bool { return h.Algorithm == "rsa" }, failing(rollover.Unreached, "reset"))), text: []string{"not answer every", "reset"}},
		{code: rollover.CodeFamilyUntested, bad: onHost(func(h *Host) { h.Addresses[1] = Address{Address: addr("2001:db8::1"), Untested: "no route"} }), text: []string{"2001:db8::1", "no route"}},
		{code: rollover.CodeGreetingSlow, bad: addresses(slow), good: addresses(patient), text: []string{"31.0 s"}},
		{code: rollover.CodeTLSOld, bad: addresses(takes(good, 0x0301, 0x0303, 0x0304)), text: []string{"TLS 1.0"}},
		{code: rollover.CodeTLSOnlyOld, bad: addresses(takes(noTLS, 0x0300, 0x0301)), good: addresses(takes(good, 0x0301, 0x0303)), text: []string{"SSL 3.0 and TLS 1.0", "nothing newer"}, result: "validation-failure"},
		{code: rollover.CodeTLSOnlyNew, bad: addresses(takes(good, 0x0304)), good: addresses(takes(good, 0x0303)), text: []string{"TLS 1.3 alone"}},
	}
}
