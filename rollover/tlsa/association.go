package tlsa

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strconv"
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
	if len(a.Data) > 16 {
		return a.Params.String() + " " + a.Data[:16] + "…"
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
// decimal octets and hex, in which white space is allowed. Case is folded.
// A record that parses may still be malformed, see [Association.Unusable].
func ParseAssociation(s string) (Association, error) {
	fields := strings.Fields(s)
	if len(fields) < 4 {
		return Association{}, fmt.Errorf("tlsa record %q: want usage, selector, matching type and hex data, as in \"3 1 1 ab…\"", s)
	}
	var n [3]uint8
	for i, name := range [...]string{"usage", "selector", "matching type"} {
		v, err := strconv.ParseUint(fields[i], 10, 8)
		if err != nil || strconv.FormatUint(v, 10) != fields[i] {
			return Association{}, fmt.Errorf("tlsa record %q: %s %q is no number from 0 to 255", s, name, fields[i])
		}
		n[i] = uint8(v)
	}
	data := strings.ToLower(strings.Join(fields[3:], ""))
	if _, err := hex.DecodeString(data); err != nil {
		return Association{}, fmt.Errorf("tlsa record %q: the association data is no hex: %w", s, err)
	}
	return Association{Params{Usage(n[0]), Selector(n[1]), MatchingType(n[2])}, data}, nil
}

// Associate returns the association that matches cert under p. The digest is
// always computed from the parsed certificate, never from a file's bytes
// (RFC 6698, sections 2.1.2 and 2.1.3).
func Associate(p Params, cert *x509.Certificate) (Association, error) {
	raw, err := p.selected(cert)
	if err != nil {
		return Association{}, err
	}
	data, err := p.digest(raw)
	if err != nil {
		return Association{}, err
	}
	return Association{p, hex.EncodeToString(data)}, nil
}

func (p Params) selected(cert *x509.Certificate) ([]byte, error) {
	switch p.Selector {
	case Cert:
		return cert.Raw, nil
	case SPKI:
		return cert.RawSubjectPublicKeyInfo, nil
	}
	return nil, fmt.Errorf("tlsa %s: unknown selector %d", p, p.Selector)
}

func (p Params) digest(raw []byte) ([]byte, error) {
	switch p.Matching {
	case Full:
		return raw, nil
	case SHA256:
		sum := sha256.Sum256(raw)
		return sum[:], nil
	case SHA512:
		sum := sha512.Sum512(raw)
		return sum[:], nil
	}
	return nil, fmt.Errorf("tlsa %s: unknown matching type %d", p, p.Matching)
}

// Compare orders associations by usage, selector, matching type and data.
func Compare(a, b Association) int {
	return cmp.Or(
		cmp.Compare(a.Usage, b.Usage), cmp.Compare(a.Selector, b.Selector),
		cmp.Compare(a.Matching, b.Matching), cmp.Compare(a.Data, b.Data))
}
