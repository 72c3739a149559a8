package sim

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

// CA issues certificates for the tests. All keys and serial numbers of a world
// come from a counter, so that a story is the same each time.
type CA struct {
	cert   *x509.Certificate
	key    crypto.Signer
	issuer *CA
}

// CA makes one, of an issuer or, where that is nil, of its own.
func (w *World) CA(name string, issuer *CA) *CA {
	w.T.Helper()
	key := w.NewKey()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: Epoch.Add(-1000 * time.Hour), NotAfter: Epoch.Add(100000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return &CA{key: key, issuer: issuer, cert: w.sign(template, issuer, key)}
}

// NewKey is the next key of this world.
func (w *World) NewKey() crypto.Signer {
	w.keys++
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", w.name, w.keys))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (w *World) sign(template *x509.Certificate, issuer *CA, key crypto.Signer) *x509.Certificate {
	w.T.Helper()
	w.serial++
	template.SerialNumber = big.NewInt(w.serial)
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
	if err != nil {
		w.T.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		w.T.Fatal(err)
	}
	return cert
}

// Leaf is a leaf's wishes; the zero value is a good one for mx1.
type Leaf struct {
	Key    crypto.Signer
	Names  []string
	Begins time.Time
	Ends   time.Time
}

// Issue makes a chain of a new leaf and its CA, or a self-signed one without CA,
// and registers it with the world.
func (w *World) Issue(issuer *CA, l Leaf) tlsa.ChainID {
	w.T.Helper()
	if l.Key == nil {
		l.Key = w.NewKey()
	}
	if l.Names == nil {
		l.Names = []string{MX}
	}
	if l.Begins.IsZero() {
		l.Begins = w.Now.Add(-time.Hour)
	}
	if l.Ends.IsZero() {
		l.Ends = w.Now.Add(2000 * time.Hour)
	}
	cert := w.sign(&x509.Certificate{Subject: pkix.Name{CommonName: l.Names[0]}, DNSNames: l.Names, NotBefore: l.Begins, NotAfter: l.Ends, KeyUsage: x509.KeyUsageDigitalSignature}, issuer, l.Key)
	certs := []*x509.Certificate{cert}
	if issuer != nil {
		certs = append(certs, issuer.cert)
	}
	return w.know(certs...)
}

// know registers a chain with the world.
func (w *World) know(certs ...*x509.Certificate) tlsa.ChainID {
	w.T.Helper()
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Chains[chain.ID()], w.papers[chain.ID()] = chain, newPapers(chain)
	return chain.ID()
}

// Record is the association of a chain's leaf, or under 2 x x of its issuer.
func (w *World) Record(p tlsa.Params, id tlsa.ChainID) tlsa.Association {
	w.T.Helper()
	depth := 0
	if p.Usage == tlsa.DANETA {
		depth = 1
	}
	a, err := w.Chains[id].Association(p, depth)
	if err != nil {
		w.T.Fatal(err)
	}
	return a
}

// IssuerRecord is the 2 1 1 of a CA that need not have issued anything yet.
func (w *World) IssuerRecord(ca *CA) tlsa.Association {
	w.T.Helper()
	a, err := tlsa.Associate(tlsa.TA, ca.cert)
	if err != nil {
		w.T.Fatal(err)
	}
	return a
}

// KeyRecord is the 3 1 1 of a key that no certificate has yet.
func (w *World) KeyRecord(key crypto.Signer) tlsa.Association {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		w.T.Fatal(err)
	}
	return tlsa.Association{Params: tlsa.EE, Data: fmt.Sprintf("%x", sha256.Sum256(der))}
}
