package certwatch

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A party is a certificate and its key, as the tests make them.
type party struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var (
	notBefore = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
)

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certify makes a certificate from a template for a key; without an issuer it is
// self-signed.
func certify(t testing.TB, template x509.Certificate, key crypto.Signer, issuer *party) party {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = notBefore, notAfter
	}
	parent, signer := &template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{cert, key}
}

func ca(t testing.TB, name string, issuer *party) party {
	t.Helper()
	return certify(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, ecKey(t), issuer)
}

func leaf(t testing.TB, name string, issuer *party) party {
	t.Helper()
	return certify(t, x509.Certificate{DNSNames: []string{name}}, ecKey(t), issuer)
}

// A hierarchy is what a public CA looks like.
type hierarchy struct{ root, intermediate, leaf party }

func issue(t testing.TB) hierarchy {
	t.Helper()
	var h hierarchy
	h.root = ca(t, "Test Root", nil)
	h.intermediate = ca(t, "Test Intermediate", &h.root)
	h.leaf = leaf(t, "mx1.example.org", &h.intermediate)
	return h
}

func chainPEM(parties ...party) []byte {
	var b bytes.Buffer
	for _, p := range parties {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
	}
	return b.Bytes()
}

func keyPEM(t testing.TB, p party) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func pairFor(t testing.TB, parties ...party) Pair {
	t.Helper()
	p, err := FromPEM(chainPEM(parties...), keyPEM(t, parties[0]))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// write makes a file of the given mode, whatever the umask.
func write(t testing.TB, path string, content []byte, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func codes(fs []Finding) (codes []string) {
	for _, f := range fs {
		codes = append(codes, f.Code)
	}
	return codes
}
