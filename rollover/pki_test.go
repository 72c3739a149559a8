package rollover

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ca issues certificates for the tests. All keys and serial numbers of a world
// come from a counter, so that a story is the same each time.
type ca struct {
	cert   *x509.Certificate
	key    crypto.Signer
	issuer *ca
}

func (w *world) ca(name string, issuer *ca) *ca {
	w.t.Helper()
	key := w.newKey()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: epoch.Add(-1000 * time.Hour), NotAfter: epoch.Add(100000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return &ca{key: key, issuer: issuer, cert: w.sign(template, issuer, key)}
}

func (w *world) newKey() crypto.Signer {
	w.keys++
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", w.t.Name(), w.keys))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (w *world) sign(template *x509.Certificate, issuer *ca, key crypto.Signer) *x509.Certificate {
	w.t.Helper()
	w.serial++
	template.SerialNumber = big.NewInt(w.serial)
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
	if err != nil {
		w.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		w.t.Fatal(err)
	}
	return cert
}

// leaf is a leaf's wishes; the zero value is a good one for mx1.
type leaf struct {
	key    crypto.Signer
	names  []string
	begins time.Time
	ends   time.Time
}

// issue makes a chain of a new leaf and its CA, or a self-signed one without CA,
// and registers it with the world.
func (w *world) issue(issuer *ca, l leaf) tlsa.ChainID {
	w.t.Helper()
	if l.key == nil {
		l.key = w.newKey()
	}
	if l.names == nil {
		l.names = []string{mx}
	}
	if l.begins.IsZero() {
		l.begins = w.now.Add(-time.Hour)
	}
	if l.ends.IsZero() {
		l.ends = w.now.Add(2000 * time.Hour)
	}
	cert := w.sign(&x509.Certificate{Subject: pkix.Name{CommonName: l.names[0]}, DNSNames: l.names, NotBefore: l.begins, NotAfter: l.ends, KeyUsage: x509.KeyUsageDigitalSignature}, issuer, l.key)
	certs := []*x509.Certificate{cert}
	if issuer != nil {
		certs = append(certs, issuer.cert)
	}
	return w.know(certs...)
}

// know registers a chain with the world.
func (w *world) know(certs ...*x509.Certificate) tlsa.ChainID {
	w.t.Helper()
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.chains[chain.ID()] = chain
	return chain.ID()
}

// record is the association of a chain's leaf, or under 2 x x of its issuer.
func (w *world) record(p tlsa.Params, id tlsa.ChainID) tlsa.Association {
	w.t.Helper()
	depth := 0
	if p.Usage == tlsa.DANETA {
		depth = 1
	}
	a, err := w.chains[id].Association(p, depth)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// keyRecord is the 3 1 1 of a key that no certificate has yet.
func (w *world) keyRecord(key crypto.Signer) tlsa.Association {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		w.t.Fatal(err)
	}
	return tlsa.Association{Params: tlsa.EE, Data: fmt.Sprintf("%x", sha256.Sum256(der))}
}
