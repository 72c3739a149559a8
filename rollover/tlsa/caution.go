package tlsa

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
)

// A Caution is what an RFC says against publishing a combination.
type Caution struct {
	Because  string // in other words, "" where the sentence is plain enough
	Sentence string // as it stands there
	Section  string // "RFC 7671, section 5.1"
}

// String quotes the sentence, and says where it stands.
func (c Caution) String() string {
	quote := `"` + c.Sentence + `" (` + c.Section + ")"
	if c.Because == "" {
		return quote
	}
	return c.Because + ": " + quote
}

// Cautions are what speaks against publishing records of p beside those of other
// combinations, for SMTP between mail servers or for another service. That the values
// are defined is the caller's to make sure, see [Params.Undefined].
func (p Params) Cautions(beside []Params, smtp bool) (all []Caution) {
	if p.Usage < DANETA && smtp {
		all = append(all, Caution{"", "TLSA records for the port 25 SMTP service used by client MTAs SHOULD NOT include TLSA RRs with certificate usage PKIX-TA(0) or PKIX-EE(1)", "RFC 7672, section 3.1.3"})
	}
	if p.Matching == Full {
		all = append(all, p.full())
	}
	if p.Selector == Cert && (p.Usage == DANEEE || p.Usage == PKIXEE) {
		all = append(all, Caution{"it ends with the certificate, even where the key stays", "Selector SPKI(1) is chosen because it is compatible with raw public keys [RFC7250] and the resulting TLSA record need not change across certificate renewals with the same key", "RFC 7671, section 5.1"})
	}
	if p.Matching == SHA512 && !slices.Contains(beside, Params{p.Usage, p.Selector, SHA256}) {
		all = append(all, Caution{"clients need not know it", "servers SHOULD NOT exclusively publish SHA2-512(2) digests", "RFC 7671, section 2"})
	}
	return all
}

func (p Params) full() Caution {
	if p.Selector == Cert {
		return Caution{"", "Server operators SHOULD NOT publish TLSA records using both a TLSA selector of Cert(0) and a TLSA matching type of Full(0), as even a single certificate is generally too large to be reliably delivered via DNS over UDP", "RFC 7671, section 10.1.2"}
	}
	return Caution{"", "the use of a TLSA matching type of Full(0) is NOT RECOMMENDED, and a digest-based matching type, such as SHA2-256(1), SHOULD be used instead", "RFC 7671, section 10.1.2"}
}

// Cautions are what speaks against p for this chain: those of [Params.Cautions], and what
// depends on the certificate presented at index, see [Chain.Association].
//
// RFC 7671, section 5.2.1 prefers 2 0 1 to 2 1 1, so that the CA's constraints are pinned
// too. That is for a CA of one's own, whose certificate stays: one that another CA issued
// is issued anew, with the same key, and then the record of the old one matches nothing.
func (c *Chain) Cautions(p Params, index int, beside []Params, smtp bool) []Caution {
	all := p.Cautions(beside, smtp)
	if p.Selector == Cert && (p.Usage == DANETA || p.Usage == PKIXTA) && c.reissued(index) {
		all = append(all, Caution{
			fmt.Sprintf("the certificate of %q gets issued anew with the same key, which a record of the key outlasts; one of the certificate, which the RFC prefers, is for a CA whose certificate stays", c.certs[index].Subject),
			"While a selector of SPKI(1) may also be employed, the resulting TLSA record will not specify the full TA certificate content, and elements of the TA certificate other than the public key become mutable",
			"RFC 7671, section 5.2.1",
		})
	}
	if p.Usage == PKIXEE && bytes.Equal(c.Leaf().RawIssuer, c.Leaf().RawSubject) {
		all = append(all, Caution{"the certificate is signed by itself, and by no CA that a client may trust", "This certificate usage is similar to DANE-EE(3); but, in addition, PKIX verification is required", "RFC 7671, section 5.3"})
	}
	return all
}

// reissued reports whether the CA certificate at index is one of several of its key: it
// was issued by another CA, which goes on to do so, or another one stands in the chain.
func (c *Chain) reissued(index int) bool {
	cert := c.certs[index]
	if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		return true
	}
	return slices.ContainsFunc(c.certs, func(other *x509.Certificate) bool {
		return bytes.Equal(other.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) && !other.Equal(cert)
	})
}
