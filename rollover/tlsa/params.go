package tlsa

import (
	"fmt"
	"strconv"
	"strings"
)

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

// ParseParams reads a combination: three decimal octets, or their acronyms from RFC
// 7218. One that parses may still mean nothing, see [Params.Undefined].
func ParseParams(s string) (Params, error) {
	fields := strings.Fields(s)
	if len(fields) != 3 {
		return Params{}, fmt.Errorf("tlsa parameters %.100q: want usage, selector and matching type, as in \"3 1 1\"", s)
	}
	p, err := parseParams(fields)
	if err != nil {
		return Params{}, fmt.Errorf("tlsa parameters %.100q: %w", s, err)
	}
	return p, nil
}

// parseParams reads the first three of at least three fields.
func parseParams(fields []string) (Params, error) {
	var octets [3]uint8
	for i, field := range [...]struct {
		name     string
		private  string
		acronyms []string
	}{
		{"usage", "PrivCert", []string{PKIXTA: "PKIX-TA", PKIXEE: "PKIX-EE", DANETA: "DANE-TA", DANEEE: "DANE-EE"}},
		{"selector", "PrivSel", []string{Cert: "Cert", SPKI: "SPKI"}},
		{"matching type", "PrivMatch", []string{Full: "Full", SHA256: "SHA2-256", SHA512: "SHA2-512"}},
	} {
		octet, ok := parseOctet(fields[i], field.private, field.acronyms)
		if !ok {
			return Params{}, fmt.Errorf("%s %q is not a number from 0 to 255", field.name, fields[i])
		}
		octets[i] = octet
	}
	return Params{Usage(octets[0]), Selector(octets[1]), MatchingType(octets[2])}, nil
}

func parseOctet(field, privateUse string, acronyms []string) (octet uint8, ok bool) {
	for i, acronym := range acronyms {
		if strings.EqualFold(field, acronym) {
			return uint8(i), true
		}
	}
	if strings.EqualFold(field, privateUse) {
		return private, true
	}
	n, err := strconv.ParseUint(field, 10, 8)
	return uint8(n), err == nil && strconv.FormatUint(n, 10) == field
}

// private is the value that each registry leaves to private use (RFC 7218, section 2).
const private = 255

// Undefined says which of the three values no RFC gives a meaning, nil if all have
// one.
func (p Params) Undefined() error {
	if p.Usage > DANEEE {
		return undefined("certificate usage", uint8(p.Usage), "2.1.1")
	}
	return p.undefinedData()
}

func (p Params) undefined() bool {
	return p.Usage > DANEEE || p.Selector > SPKI || p.Matching > SHA512
}

// undefinedData says it of those that the data depends on.
func (p Params) undefinedData() error {
	switch {
	case p.Selector > SPKI:
		return undefined("selector", uint8(p.Selector), "2.1.2")
	case p.Matching > SHA512:
		return undefined("matching type", uint8(p.Matching), "2.1.3")
	}
	return nil
}

func undefined(what string, octet uint8, section string) error {
	if octet == private {
		return fmt.Errorf("the %s %d is for private use (RFC 6698, section %s)", what, octet, section)
	}
	return fmt.Errorf("the %s %d is unknown (RFC 6698, section %s)", what, octet, section)
}
