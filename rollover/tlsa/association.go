package tlsa

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// An Association is the RDATA of one TLSA record. It is comparable: two equal
// records are ==, because Data is always lower-case hex without white space.
type Association struct {
	Params
	Data string // certificate association data
}

// String gives the RDATA in presentation form (RFC 6698, section 2.2).
func (a Association) String() string { return a.Params.String() + " " + a.Data }

// short is enough of the record to tell it apart in a sentence.
func (a Association) short() string {
	const enough = 16
	switch {
	case a.Data == "":
		return a.Params.String()
	case len(a.Data) > enough:
		return a.Params.String() + " " + a.Data[:enough] + "…"
	}
	return a.String()
}

// MarshalText and UnmarshalText make an Association its presentation form in JSON.
func (a Association) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the presentation form, see [ParseAssociation].
func (a *Association) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAssociation(string(text))
	return err
}

// ParseAssociation reads the presentation form of RFC 6698, section 2.2: three
// decimal octets, or their acronyms from RFC 7218, and hex, in which white space
// is allowed. Case is folded. The form that is for records of any type will do as
// well (RFC 3597, section 5): \# 35 030101…. A record that parses may still be
// malformed, see [Association.Unusable].
func ParseAssociation(s string) (Association, error) {
	fields := strings.Fields(s)
	if len(fields) > 0 && fields[0] == `\#` {
		a, err := parseGeneric(fields[1:])
		if err != nil {
			return Association{}, fmt.Errorf("tlsa record %.100q: %w", s, err)
		}
		return a, nil
	}
	if len(fields) < 4 {
		return Association{}, fmt.Errorf("tlsa record %.100q: want usage, selector, matching type and hex data, as in \"3 1 1 ab…\"", s)
	}
	p, err := parseParams(fields)
	if err != nil {
		return Association{}, fmt.Errorf("tlsa record %.100q: %w", s, err)
	}
	data := strings.ToLower(strings.Join(fields[3:], ""))
	if _, err := hex.DecodeString(data); err != nil {
		return Association{}, fmt.Errorf("tlsa record %.100q: the association data is not hex: %w", s, err)
	}
	return Association{p, data}, nil
}

// Associate returns the association that matches cert under p. The digest is
// always computed from the parsed certificate, never from a file's bytes
// (RFC 6698, sections 2.1.2 and 2.1.3).
func Associate(p Params, cert *x509.Certificate) (Association, error) {
	if err := p.undefinedData(); err != nil {
		return Association{}, fmt.Errorf("tlsa %s: %w", p, err)
	}
	raw := cert.Raw
	if p.Selector == SPKI {
		raw = cert.RawSubjectPublicKeyInfo
	}
	switch p.Matching {
	case Full:
	case SHA256:
		sum := sha256.Sum256(raw)
		raw = sum[:]
	case SHA512:
		sum := sha512.Sum512(raw)
		raw = sum[:]
	}
	return Association{p, hex.EncodeToString(raw)}, nil
}

// Compare orders associations by usage, selector, matching type and data.
func Compare(a, b Association) int {
	if a.Params != b.Params {
		return cmp.Compare(a.order(), b.order())
	}
	return strings.Compare(a.Data, b.Data)
}

func (p Params) order() int {
	return int(p.Usage)<<16 | int(p.Selector)<<8 | int(p.Matching)
}
