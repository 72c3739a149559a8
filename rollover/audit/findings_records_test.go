package audit

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// made is a record with any data.
func made(params, data string) tlsa.Association {
	a, err := tlsa.ParseAssociation(params + " " + data)
	if err != nil {
		panic(err)
	}
	return a
}

// keys are n records of keys that nobody has.
func keys(n int) (as []tlsa.Association) {
	for i := range n {
		as = append(as, made("3 1 1", fmt.Sprintf("%064x", i)))
	}
	return as
}

func ttl(d time.Duration) func(*Domain) {
	return onBase(func(b *Base) {
		b.Resolved.Value.TTL = 30 * time.Second // what is left of it
		for i := range b.Servers {
			b.Servers[i].Answer.Value.TTL = d
		}
	})
}

func (c cast) recordRows() []findingRow {
	current, next, digest := c.ee(c.chain), c.ee(c.next), c.ee(c.chain).Data
	pkix := c.of(c.chain, tlsa.PKIXEE, tlsa.SPKI, tlsa.SHA256)
	sha512 := func(chain *tlsa.Chain) tlsa.Association { return c.of(chain, tlsa.DANEEE, tlsa.SPKI, tlsa.SHA512) }
	rsaFull := c.of(c.rsa, tlsa.DANEEE, tlsa.Cert, tlsa.Full)
	return []findingRow{
		{code: rollover.CodeRecordsUnusable, bad: records(pkix), good: records(pkix, current), text: []string{mx1, base1, "1 1 1", "not for SMTP"}, fix: "IN TLSA 3 1 1 " + digest, result: "tlsa-invalid"},
		{code: rollover.CodeRecordsUnusable, bad: records(made("3 1 1", "abcd"), made("7 1 1", digest)), text: []string{"3 1 1 abcd", "32 octets", "7 1 1"}, result: "tlsa-invalid"},
		{code: rollover.CodeRecordsUnusable, bad: all(records(made("3 1 1", "abcd")), onHost(func(h *Host) { h.SMTP = false })), text: []string{"clients insist on TLS and judge the certificate as if there were none: "}, result: "tlsa-invalid"},
		{code: rollover.CodeUsagePKIX, bad: records(current, next, pkix), good: all(records(current, next, pkix), onHost(func(h *Host) { h.SMTP = false })), text: []string{mx1, "1 1 1 " + digest[:8]}},
		{code: rollover.CodeDigestLength, bad: records(current, next, made("3 1 1", digest[:40])), text: []string{digest[:8], "32 octets"}},
		{code: rollover.CodeDigestLength, bad: records(current, next, made("3 1 2", digest)), text: []string{"64 octets", "3 1 2"}, fix: "Publish it as 3 1 1"},
		{code: rollover.CodeRecordUnknown, bad: records(current, next, made("3 2 1", digest)), text: []string{"3 2 1", "selector 2"}},
		{code: rollover.CodeFullUnreadable, bad: records(current, next, made("3 0 0", "abcd")), text: []string{"3 0 0 abcd"}},
		{code: rollover.CodeMatchingFull, bad: records(c.of(c.chain, tlsa.DANEEE, tlsa.SPKI, tlsa.Full), next), also: []rollover.Code{rollover.CodeComboUnmatched}, text: []string{"3 1 0", "octets"}},
		{code: rollover.CodeSelectorCert, bad: records(current, next, c.of(c.chain, tlsa.DANEEE, tlsa.Cert, tlsa.SHA256)), text: []string{"3 0 1", "same key"}},
		{code: rollover.CodeAnchorCert, bad: records(current, c.of(c.chain, tlsa.DANETA, tlsa.Cert, tlsa.SHA256)), good: records(current, c.ta(c.chain)), text: []string{"2 0 1"}},
		{code: rollover.CodeOnlySHA512, bad: records(sha512(c.chain), sha512(c.next)), good: records(current, next, sha512(c.chain), sha512(c.next)), text: []string{"3 1 2"}},
		{code: rollover.CodeSingleRecord, bad: records(current), text: []string{"3 1 1 " + digest[:8]}},
		{code: rollover.CodeSingleRecord, bad: all(records(current, c.ee(c.rsa)), addresses(dual("192.0.2.1", c.chain, c.rsa))), good: records(current, c.ta(c.chain))},
		{code: rollover.CodeRRsetLarge, bad: records(append(keys(9), current)...), good: records(append(keys(8), current)...), text: []string{"10 records", "stop at 12"}},
		{code: rollover.CodeTooManyRecords, bad: records(append(keys(12), current)...), good: records(append(keys(11), current)...), text: []string{"13 records"}},
		{code: rollover.CodeAnswerLarge, bad: all(records(rsaFull, current, made("3 0 0", rsaFull.Data+"00"), made("3 0 0", strings.Repeat("00", 500))), addresses(dual("192.0.2.1", c.chain, c.rsa))),
			also: []rollover.Code{rollover.CodeMatchingFull, rollover.CodeFullUnreadable, rollover.CodeComboUnmatched}, text: []string{"octets", "1232"}},
		{code: rollover.CodeTTLLong, bad: ttl(48 * time.Hour), good: ttl(24 * time.Hour), text: []string{"172800 s"}},
		{code: rollover.CodeTTLShort, bad: ttl(time.Minute), good: ttl(5 * time.Minute), text: []string{"60 s"}},
		{code: rollover.CodeTTLShort, bad: all(ttl(time.Hour), onBase(func(b *Base) { b.AliasTTL = 59 * time.Minute })), text: []string{"60 s"}},
	}
}

func sum256(octets []byte) string {
	sum := sha256.Sum256(octets)
	return hex.EncodeToString(sum[:])
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// mistakeRows have each mistaken record beside those that are right, and one alone.
func (c cast) mistakeRows() []findingRow {
	current, next := c.ee(c.chain), c.ee(c.next)
	leaf, issuer := c.chain.Leaf(), c.chain.Certificates()[1]
	row := func(code rollover.Code, params, data, text string) findingRow {
		return findingRow{code: code, bad: records(current, next, c.ta(c.chain), made(params, data)), text: []string{params + " " + data[:8], text}, fix: "stand already", result: "tlsa-invalid"}
	}
	text := pemOf("CERTIFICATE", leaf.Raw)
	bits := bareKey(leaf)
	sum := sha512.Sum512(text)
	rows := []findingRow{
		row(rollover.CodeDigestOfPEM, "3 1 1", sum256(text), "text in PEM of the certificate of the server"),
		row(rollover.CodeDigestOfPEM, "3 0 1", sum256(text), "PEM"),
		row(rollover.CodeDigestOfPEM, "3 1 1", sum256(bytes.TrimSpace(text)), "PEM"),
		row(rollover.CodeDigestOfPEM, "3 1 1", sum256(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))), "PEM"),
		row(rollover.CodeDigestOfPEM, "3 1 1", sum256(append(text, pemOf("CERTIFICATE", issuer.Raw)...)), "PEM of all certificates"),
		row(rollover.CodeDigestOfPEM, "2 1 1", sum256(pemOf("CERTIFICATE", issuer.Raw)), "PEM"),
		row(rollover.CodeDigestOfPEM, "3 1 1", sum256(pemOf("PUBLIC KEY", leaf.RawSubjectPublicKeyInfo)), "PEM of the key"),
		row(rollover.CodeDigestOfBareKey, "3 1 1", sum256(bits), "bare key"),
		row(rollover.CodeDigestOfOtherPart, "3 1 1", sum256(leaf.Raw), "selector 1 means its key"),
		row(rollover.CodeDigestOfOtherPart, "3 0 1", sum256(leaf.RawSubjectPublicKeyInfo), "selector 0 means the whole"),
		row(rollover.CodeDigestOfOtherPart, "2 1 1", sum256(issuer.Raw), "Intermediate"),
		row(rollover.CodeDigestOfNothing, "3 1 1", sum256(nil), "no data"),
		row(rollover.CodeDigestOfNothing, "3 1 1", sum256([]byte("\n")), "an empty line"),
		row(rollover.CodeUsageEEOfCA, "3 1 1", sum256(issuer.RawSubjectPublicKeyInfo), "usage 2"),
		row(rollover.CodeUsageEEOfCA, "3 0 1", sum256(issuer.Raw), "Intermediate"),
		row(rollover.CodeUsageTAOfLeaf, "2 1 1", sum256(leaf.RawSubjectPublicKeyInfo), "usage 3"),
	}
	wide := row(rollover.CodeDigestOfPEM, "3 0 2", hex.EncodeToString(sum[:]), "PEM")
	// Alone it breaks mail, and both are told: that it does, and why.
	alone := row(rollover.CodeDigestOfPEM, "3 1 1", sum256(text), "PEM")
	alone.bad, alone.also, alone.fix = records(made("3 1 1", sum256(text))), []rollover.Code{rollover.CodeServedUnmatched}, "IN TLSA "+current.String()
	return append(rows, wide, alone)
}

func (c cast) issuerRows() []findingRow {
	sibling, retired := c.ta(c.ca.renewed(c.chain)), made("2 1 1", strings.Repeat("ab", 32))
	known := func(sets ...IssuerSet) func(*Domain) { return onHost(func(h *Host) { h.IssuerSets = sets }) }
	set := IssuerSet{Name: "example-ecdsa", CAA: "ca.example.net", Current: []tlsa.Association{c.ta(c.chain), sibling}, Retired: []tlsa.Association{retired}}
	wide := IssuerSet{Name: "example", CAA: "ca.example.net", Current: append(slices.Clone(set.Current), made("2 1 1", strings.Repeat("cd", 32)))}
	return []findingRow{
		{code: rollover.CodeIssuerSiblings, bad: all(known(wide, set), records(c.ee(c.chain), c.ta(c.chain))), good: all(known(wide, set), records(c.ee(c.chain), c.ta(c.chain), sibling)), text: []string{"example-ecdsa", sibling.Data[:8]}},
		{code: rollover.CodeIssuerSiblings, bad: all(known(set), records(c.ta(c.chain))), good: all(known(set), records(c.ee(c.chain), c.ee(c.next), c.ta(c.chain)))},
		{code: rollover.CodeSingleRecord, bad: all(known(set), records(c.ee(c.chain), retired)), good: records(c.ee(c.chain), retired), also: []rollover.Code{rollover.CodeIssuerRetired}},
		{code: rollover.CodeIssuerRetired, bad: all(known(set), records(c.ee(c.chain), c.ee(c.next), retired)), good: all(known(IssuerSet{}), records(c.ee(c.chain), c.ee(c.next), c.ta(c.chain))), text: []string{"2 1 1 abababab"}},
	}
}

// renewed is the same leaf below another intermediate of the CA.
func (a *authority) renewed(chain *tlsa.Chain) *tlsa.Chain {
	key := newKey(a.t)
	other := a.sign(caTemplate("Intermediate 2"), a.root, key.Public(), a.rootKey)
	leaf := a.sign(&x509.Certificate{DNSNames: []string{mx1}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0)}, other, chain.Leaf().PublicKey, key)
	out, err := tlsa.NewChain(leaf, other)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}
