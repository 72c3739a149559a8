package oracle

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A party has a certificate and its key.
type party struct {
	*x509.Certificate
	key crypto.Signer
}

// data is the record of p's certificate.
func (p party) data(t testing.TB, params tlsa.Params) tlsa.Association {
	t.Helper()
	a, err := tlsa.Associate(params, p.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A trait changes a certificate before it is signed.
type trait func(template *x509.Certificate, key *crypto.Signer)

// A pki issues certificates around one moment, which is that of the clients: they have no
// other clock.
type pki struct {
	t      testing.TB
	now    time.Time
	serial int64
}

// issue makes a certificate signed by issuer, or by itself where that is zero.
func (p *pki) issue(issuer party, name string, traits ...trait) party {
	p.t.Helper()
	p.serial++
	key := p.must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(p.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: p.now.Add(-days(30)), NotAfter: p.now.Add(days(30)),
	}
	for _, trait := range traits {
		trait(template, &key)
	}
	parent, signer := issuer.Certificate, issuer.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		p.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return party{cert, key}
}

// leaf makes a server's certificate for a host.
func (p *pki) leaf(issuer party, host string, traits ...trait) party {
	p.t.Helper()
	return p.issue(issuer, "", append([]trait{named(host), func(c *x509.Certificate, _ *crypto.Signer) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}}, traits...)...)
}

// ca makes a CA's certificate.
func (p *pki) ca(issuer party, name string, traits ...trait) party {
	p.t.Helper()
	return p.issue(issuer, name, append([]trait{asCA}, traits...)...)
}

func (p *pki) must(key crypto.Signer, err error) crypto.Signer {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	return key
}

func (p *pki) rsaKey(bits int) crypto.Signer {
	p.t.Helper()
	return p.must(rsa.GenerateKey(rand.Reader, bits))
}

func (p *pki) ed25519Key() crypto.Signer {
	p.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return p.must(key, err)
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// dated has a certificate begin and end so many days from now.
func (p *pki) dated(from, to int) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) {
		c.NotBefore, c.NotAfter = p.now.Add(days(from)), p.now.Add(days(to))
	}
}

func asCA(c *x509.Certificate, _ *crypto.Signer) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

func named(names ...string) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) { c.DNSNames = names }
}

func with(change func(c *x509.Certificate)) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) { change(c) }
}

func keyed(key crypto.Signer) trait {
	return func(_ *x509.Certificate, k *crypto.Signer) { *k = key }
}
