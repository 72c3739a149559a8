package tlsa

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ChainID is the SHA-256 of a whole chain's DER, in lower-case hex: the same
// leaf with another intermediate is another chain.
type ChainID string

// Short is enough of the ID to tell chains apart in a sentence.
func (id ChainID) Short() string { return string(id[:min(8, len(id))]) }

// A Chain is the certificates that a server presents, leaf first. It is
// immutable; what a match needs is worked out once, when it is made. The zero
// Chain has no leaf and is of no use.
type Chain struct {
	id    ChainID
	certs []*x509.Certificate
	data  []data // one a certificate, as presented
	root  *hop   // the leaf, where the tree of paths begins
	names []string
}

// data is what would match one certificate: hex, by selector and matching type.
type data [2][3]string

func (d *data) of(p Params) string { return d[p.Selector][p.Matching] }

// NewChain takes the certificates as presented, leaf first. The order is not
// repaired: a client sees what the server sends.
func NewChain(certs ...*x509.Certificate) (*Chain, error) {
	if len(certs) == 0 {
		return nil, errors.New("certificate chain: empty")
	}
	for i, cert := range certs {
		if cert == nil || len(cert.Raw) == 0 {
			return nil, fmt.Errorf("certificate %d of the chain: not parsed from DER", i)
		}
	}
	c := &Chain{certs: slices.Clone(certs)}
	c.establish()
	return c, nil
}

// establish computes every digest and verifies every signature, once.
func (c *Chain) establish() {
	sum := sha256.New()
	c.data = make([]data, len(c.certs))
	for i, cert := range c.certs {
		sum.Write(cert.Raw)
		for _, selector := range [...]Selector{Cert, SPKI} {
			for _, matching := range [...]MatchingType{Full, SHA256, SHA512} {
				// Nothing else than these is refused.
				a, _ := Associate(Params{Selector: selector, Matching: matching}, cert)
				c.data[i][selector][matching] = a.Data
			}
		}
	}
	c.id = ChainID(hex.EncodeToString(sum.Sum(nil)))
	c.names = presented(c.certs[0])
	c.root = paths(c.certs)
}

// ParseChain makes a chain of DER certificates, leaf first.
func ParseChain(ders ...[]byte) (*Chain, error) {
	certs := make([]*x509.Certificate, 0, len(ders))
	for i, der := range ders {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the chain: %w", i, err)
		}
		certs = append(certs, cert)
	}
	return NewChain(certs...)
}

// ID identifies the whole chain.
func (c *Chain) ID() ChainID { return c.id }

// Leaf is the server's own certificate.
func (c *Chain) Leaf() *x509.Certificate { return c.certs[0] }

// Certificates are the chain's, leaf first. Do not change the slice.
func (c *Chain) Certificates() []*x509.Certificate { return c.certs }

// LeafID is the SHA-256 of the leaf's DER, in hex.
func (c *Chain) LeafID() string { return c.data[0][Cert][SHA256] }

// SPKI is the SHA-256 of the leaf's SubjectPublicKeyInfo, in hex.
func (c *Chain) SPKI() string { return c.data[0][SPKI][SHA256] }

// NotAfter is when the leaf ends.
func (c *Chain) NotAfter() time.Time { return c.Leaf().NotAfter }

// Names are the DNS names that the leaf is for (RFC 7672, section 3.2.3): its
// subject alternative names, or its common name where there is none. Wildcards
// stand as they are. Do not change the slice.
func (c *Chain) Names() []string { return c.names }

// Association returns the association of the leaf under 3 x x and 1 x x, else of
// the certificate presented at that index; the leaf's is 0.
func (c *Chain) Association(p Params, index int) (Association, error) {
	if p.Usage == DANEEE || p.Usage == PKIXEE {
		index = 0
	}
	if index < 0 || index >= len(c.certs) {
		return Association{}, fmt.Errorf("certificate chain: no certificate at index %d of %d", index, len(c.certs))
	}
	if p.Selector > SPKI || p.Matching > SHA512 {
		return Associate(p, c.certs[index]) // for its error
	}
	return Association{p, c.data[index].of(p)}, nil
}

// MarshalJSON writes the certificates' DER.
func (c *Chain) MarshalJSON() ([]byte, error) {
	ders := make([][]byte, len(c.certs))
	for i, cert := range c.certs {
		ders[i] = cert.Raw
	}
	return json.Marshal(ders)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Chain) UnmarshalJSON(b []byte) error {
	var ders [][]byte
	if err := json.Unmarshal(b, &ders); err != nil {
		return err
	}
	parsed, err := ParseChain(ders...)
	if err != nil {
		return err
	}
	*c = *parsed
	return nil
}
