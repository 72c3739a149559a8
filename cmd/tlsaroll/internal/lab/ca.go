package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A KeyType is the algorithm of a leaf's key.
type KeyType string

// Key types of leaves; authorities always have ECDSA keys.
const (
	ECDSA KeyType = "ecdsa" // P-256
	RSA   KeyType = "rsa"   // 2048 bits
)

// A CA is a certification authority of the lab: a root and the intermediate that
// issues at present. It may be used by several goroutines.
type CA struct {
	dir     string
	secrets *Secrets // the leaves' keys are planted there

	mu     sync.Mutex
	root   authority
	issuer authority
	issued int
	inters int
}

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// LeafOptions say what a leaf looks like; the zero value is an ECDSA leaf for
// mx1.example.org with a fresh key, valid for 90 days.
type LeafOptions struct {
	Names      []string      // DNS names; the first is also the common name
	KeyType    KeyType       // ignored where Key is given
	Key        crypto.Signer // a key to be reused
	Begins     time.Duration // from now to the beginning; default an hour ago
	Lifetime   time.Duration // from now to the end
	SelfSigned bool          // no chain, no CA
	WithRoot   bool          // the served chain goes up to the root
}

// newCA makes a root and a first intermediate; pairs are written below dir.
func newCA(dir string) (*CA, error) {
	ca := &CA{dir: dir, secrets: &Secrets{}}
	root, err := newAuthority(authority{}, "Lab Root", 1)
	if err != nil {
		return nil, err
	}
	ca.root = root
	return ca, ca.newIntermediate()
}

func (ca *CA) newIntermediate() error {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.inters++
	issuer, err := newAuthority(ca.root, fmt.Sprintf("Lab Intermediate %d", ca.inters), int64(1+ca.inters))
	if err != nil {
		return err
	}
	ca.issuer = issuer
	return nil
}

// NewIntermediate makes a new intermediate with a new key; leaves come from it
// from now on. Without notice, as public authorities do it.
func (ca *CA) NewIntermediate(t testing.TB) {
	t.Helper()
	if err := ca.newIntermediate(); err != nil {
		t.Fatal(err)
	}
}

// Intermediate is the certificate that issues at present.
func (ca *CA) Intermediate() *x509.Certificate {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return ca.issuer.cert
}

// Root is the root's certificate.
func (ca *CA) Root() *x509.Certificate { return ca.root.cert }

// Issue makes a leaf and writes its pair into a directory of its own.
func (ca *CA) Issue(t testing.TB, opts LeafOptions) *Pair {
	t.Helper()
	p, err := ca.issue(opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (ca *CA) issue(opts LeafOptions) (*Pair, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if len(opts.Names) == 0 {
		opts.Names = []string{"mx1.example.org"}
	}
	if opts.Begins == 0 {
		opts.Begins = -time.Hour
	}
	if opts.Lifetime == 0 {
		opts.Lifetime = 90 * 24 * time.Hour
	}
	key := opts.Key
	if key == nil {
		var err error
		if key, err = newKey(opts.KeyType); err != nil {
			return nil, err
		}
	}
	ca.issued++
	if err := ca.secrets.PlantKey(fmt.Sprintf("the key of leaf %d", ca.issued), key); err != nil {
		return nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(1000 + ca.issued)),
		Subject:      pkix.Name{CommonName: opts.Names[0]},
		DNSNames:     opts.Names,
		NotBefore:    now.Add(opts.Begins),
		NotAfter:     now.Add(opts.Lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	issuer := ca.issuer
	above := []*x509.Certificate{issuer.cert}
	if opts.WithRoot {
		above = append(above, ca.root.cert)
	}
	if opts.SelfSigned {
		issuer, above = authority{cert: tmpl, key: key}, nil
	}
	leaf, err := sign(tmpl, issuer, key.Public())
	if err != nil {
		return nil, fmt.Errorf("leaf for %v: %w", opts.Names, err)
	}
	p := &Pair{
		Dir:          filepath.Join(ca.dir, fmt.Sprintf("leaf-%d", ca.issued)),
		Certificates: append([]*x509.Certificate{leaf}, above...),
		Key:          key,
	}
	return p, p.write()
}

// newAuthority makes a CA certificate; without a parent it is self-signed.
func newAuthority(parent authority, name string, serial int64) (authority, error) {
	key, err := newKey(ECDSA)
	if err != nil {
		return authority{}, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{Organization: []string{"tlsaroll lab"}, CommonName: name},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.Add(5 * 365 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	if parent.cert == nil {
		parent = authority{cert: tmpl, key: key}
	}
	cert, err := sign(tmpl, parent, key.Public())
	if err != nil {
		return authority{}, fmt.Errorf("authority %s: %w", name, err)
	}
	return authority{cert, key}, nil
}

func sign(tmpl *x509.Certificate, issuer authority, pub crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer.cert, pub, issuer.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newKey(kt KeyType) (crypto.Signer, error) {
	switch kt {
	case ECDSA, "":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("key type %q: want ecdsa or rsa", kt)
}

// RootPEM is the root, for who is to believe it.
func (ca *CA) RootPEM() []byte { return chainPEM([]*x509.Certificate{ca.root.cert}) }
