package tlsa

import (
	"crypto/sha256"
	"crypto/sha512"
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
// immutable; what a match needs is worked out once, when it is made.
type Chain struct {
	id    ChainID
	certs []*x509.Certificate
	facts []facts // one a certificate, as presented
	root  *hop    // the leaf, as the root of the tree of paths
	names []string
}

// facts are the association data that would match a certificate, in hex, by
// selector and matching type.
type facts [2][3]string

func (f *facts) of(p Params) string { return f[p.Selector][p.Matching] }

// NewChain takes the certificates as presented, leaf first. The order is not
// repaired: a client sees what the server sends.
func NewChain(certs ...*x509.Certificate) (*Chain, error) {
	if len(certs) == 0 || slices.Contains(certs, nil) {
		return nil, errors.New("certificate chain: empty")
	}
	c := &Chain{certs: slices.Clone(certs)}
	sum := sha256.New()
	for _, cert := range certs {
		sum.Write(cert.Raw)
	}
	c.id = ChainID(hex.EncodeToString(sum.Sum(nil)))
	c.establish()
	return c, nil
}

// establish does all digests and signatures once, so that a match is a comparison.
func (c *Chain) establish() {
	c.facts = make([]facts, len(c.certs))
	for i, cert := range c.certs {
		for selector, raw := range [...][]byte{Cert: cert.Raw, SPKI: cert.RawSubjectPublicKeyInfo} {
			sum256, sum512 := sha256.Sum256(raw), sha512.Sum512(raw)
			c.facts[i][selector] = [...]string{
				Full:   hex.EncodeToString(raw),
				SHA256: hex.EncodeToString(sum256[:]),
				SHA512: hex.EncodeToString(sum512[:]),
			}
		}
	}
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
func (c *Chain) LeafID() string { return c.facts[0][Cert][SHA256] }

// SPKI is the SHA-256 of the leaf's SubjectPublicKeyInfo, in hex.
func (c *Chain) SPKI() string { return c.facts[0][SPKI][SHA256] }

// NotAfter is when the leaf ends.
func (c *Chain) NotAfter() time.Time { return c.Leaf().NotAfter }

// Names are the DNS names that the leaf is for (RFC 7672, section 3.2.3): its
// subject alternative names, or its common name where there is none.
func (c *Chain) Names() []string { return c.names }

// Association returns the association of the leaf under 3 x x and 1 x x, of
// the certificate at depth otherwise.
func (c *Chain) Association(p Params, depth int) (Association, error) {
	if depth < 0 || depth >= len(c.certs) {
		return Association{}, fmt.Errorf("certificate chain: no certificate at depth %d", depth)
	}
	return Associate(p, c.certs[depth])
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
