package tlsa

import "fmt"

type (
	// Usage is the certificate usage, RFC 6698, section 2.1.1; names from RFC 7218.
	Usage uint8
	// Selector says which part of a certificate is compared, RFC 6698, section 2.1.2.
	Selector uint8
	// MatchingType says how the selected part is presented, RFC 6698, section 2.1.3.
	MatchingType uint8
)

// Certificate usages (RFC 6698, section 2.1.1; RFC 7218, section 2.1).
const (
	PKIXTA Usage = iota // CA constraint: PKIX and this CA on the path
	PKIXEE              // service certificate constraint: PKIX and this leaf
	DANETA              // trust anchor assertion
	DANEEE              // domain-issued certificate
)

// Selectors (RFC 7218, section 2.2).
const (
	Cert Selector = iota // the whole certificate's DER
	SPKI                 // its SubjectPublicKeyInfo's DER
)

// Matching types (RFC 7218, section 2.3).
const (
	Full MatchingType = iota
	SHA256
	SHA512
)

// Params is one TLSA parameter combination, such as 3 1 1 (RFC 7671, section 8).
type Params struct {
	Usage    Usage        `json:"usage"`
	Selector Selector     `json:"selector"`
	Matching MatchingType `json:"matching"`
}

// The two combinations that we publish: RFC 7671, section 5.1 recommends 3 1 1;
// 2 1 1 rather than 2 0 1 because CA certificates are re-issued with the same key.
var (
	EE = Params{DANEEE, SPKI, SHA256}
	TA = Params{DANETA, SPKI, SHA256}
)

// String gives the three numbers as in a zone file: "3 1 1".
func (p Params) String() string {
	return fmt.Sprintf("%d %d %d", p.Usage, p.Selector, p.Matching)
}
