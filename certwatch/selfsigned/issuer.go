package selfsigned

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// DefaultLifetime is that of a certificate where nobody says otherwise. DANE-EE
// ignores dates (RFC 7671, section 5.1); it is how often the key changes.
const DefaultLifetime = 90 * 24 * time.Hour

// backdate is by how much a certificate begins before it is made, so that clients
// whose clocks are slow take it.
const backdate = time.Hour

// maxCommonName is the longest common name (RFC 5280, appendix A.1, ub-common-name).
const maxCommonName = 64

// An Issuer signs each key with itself. It asks nobody and needs no time, so that ctx
// counts for nothing.
type Issuer struct {
	Lifetime time.Duration // 0: [DefaultLifetime]
	Now      func() time.Time
}

// Renewal is when a third of a certificate's lifetime is left, whoever made it.
func (Issuer) Renewal(_ context.Context, leaf *x509.Certificate) (certwatch.Renewal, error) {
	return certwatch.Renewal{At: leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3), Reason: "a third of its lifetime is left then"}, nil
}

// Issue makes a certificate of the key for the names, and for servers alone.
func (i Issuer) Issue(_ context.Context, r certwatch.Request) (certwatch.Pair, error) {
	if len(r.Names) == 0 {
		return certwatch.Pair{}, errors.New("self-signed: no names")
	}
	lifetime := i.Lifetime
	if lifetime == 0 {
		lifetime = DefaultLifetime
	}
	if lifetime < time.Second {
		return certwatch.Pair{}, fmt.Errorf("self-signed: a lifetime of %s", lifetime)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // of 20 octets at most (RFC 5280, section 4.1.2.2)
	if err != nil {
		return certwatch.Pair{}, fmt.Errorf("self-signed: %w", err)
	}
	now := i.Now()
	template := &x509.Certificate{
		SerialNumber: serial, DNSNames: r.Names,
		NotBefore: now.Add(-min(backdate, lifetime/10)), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, // no CA
	}
	if len(r.Names[0]) <= maxCommonName {
		template.Subject = pkix.Name{CommonName: r.Names[0]}
	}
	if _, isRSA := r.Key.Public().(*rsa.PublicKey); isRSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // TLS 1.2 without forward secrecy
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, r.Key.Public(), r.Key.Signer())
	if err != nil {
		return certwatch.Pair{}, fmt.Errorf("self-signed: %w", err)
	}
	var chain bytes.Buffer
	if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return certwatch.Pair{}, fmt.Errorf("self-signed: %w", err)
	}
	return certwatch.FromPEM(chain.Bytes(), r.Key.PEM())
}
