package lab

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Pair is a chain and its key as files, under the names that ACME clients and
// tlsaroll use.
type Pair struct {
	Dir          string
	Certificates []*x509.Certificate // as served, leaf first
	Key          crypto.Signer
}

// Fullchain is the file with the chain, leaf first.
func (p *Pair) Fullchain() string { return filepath.Join(p.Dir, "fullchain.pem") }

// Privkey is the file with the key, PKCS #8.
func (p *Pair) Privkey() string { return filepath.Join(p.Dir, "privkey.pem") }

// Combined is the file with the key and then the chain, as Postfix wants it.
func (p *Pair) Combined() string { return filepath.Join(p.Dir, "combined.pem") }

// Leaf is the server's own certificate.
func (p *Pair) Leaf() *x509.Certificate { return p.Certificates[0] }

// Association returns what vouches for the pair under params: of the leaf for
// end entity usages, of its issuer for trust anchor usages.
func (p *Pair) Association(params tlsa.Params) (tlsa.Association, error) {
	cert := p.Leaf()
	if params.Usage == tlsa.DANETA || params.Usage == tlsa.PKIXTA {
		if len(p.Certificates) < 2 {
			return tlsa.Association{}, fmt.Errorf("tlsa %s: the chain of %s has no issuer", params, p.Dir)
		}
		cert = p.Certificates[1]
	}
	return tlsa.Associate(params, cert)
}

// TLSA is the RDATA of [Pair.Association], as in "3 1 1 ab…".
func (p *Pair) TLSA(t testing.TB, params tlsa.Params) string {
	t.Helper()
	a, err := p.Association(params)
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}

func (p *Pair) pem() (key, chain []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("private key: %w", err)
	}
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, chainPEM(p.Certificates), nil
}

func chainPEM(certs []*x509.Certificate) []byte {
	var chain []byte
	for _, c := range certs {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return chain
}

func (p *Pair) write() error { return p.writeTo(p.Dir) }

// writeTo makes dir with the pair in it.
func (p *Pair) writeTo(dir string) error {
	key, chain, err := p.pem()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"fullchain.pem": chain,
		"privkey.pem":   key,
		"combined.pem":  append(key[:len(key):len(key)], chain...),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile puts data in the place of path in one step.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
