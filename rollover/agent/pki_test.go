package agent

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A ca issues pairs.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	ahead time.Duration // of the clock that counts for validity
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCA(t testing.TB) *ca {
	t.Helper()
	key := newKey(t)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Issuer"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &ca{cert: cert, key: key}
}

// issue makes a pair for host names, valid for 90 days.
func (c *ca) issue(t testing.TB, names ...string) certwatch.Pair {
	t.Helper()
	return c.issueFor(t, newKey(t), 90*24*time.Hour, names...)
}

func (c *ca) issueRSA(t testing.TB, names ...string) certwatch.Pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return c.issueFor(t, key, 90*24*time.Hour, names...)
}

func (c *ca) issueFor(t testing.TB, key crypto.Signer, valid time.Duration, names ...string) certwatch.Pair {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: serial, DNSNames: names, NotBefore: time.Now().Add(c.ahead - time.Minute), NotAfter: time.Now().Add(c.ahead + valid)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, c.cert, key.Public(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	pair, err := certwatch.FromPEM(append(block("CERTIFICATE", der), block("CERTIFICATE", c.cert.Raw)...), block("PRIVATE KEY", private))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// record is the 3 1 1 of a pair.
func record(t testing.TB, p certwatch.Pair) tlsa.Association {
	t.Helper()
	a, err := p.Chain.Association(tlsa.EE, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
