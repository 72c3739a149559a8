package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An issuer is the world's certification authority. DANE-EE asks nobody who that
// is (RFC 7671, section 5.1).
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

func newIssuer(now func() time.Time) (issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return issuer{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Demo CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return issuer{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return issuer{cert, key, now}, err
}

// A certificate is a pair and its record, with the number that the story gives it.
type certificate struct {
	certwatch.Pair
	number int
	record tlsa.Association
}

// combined is the file that mail servers read: key first, as Postfix wants it.
func (c certificate) combined() []byte { return slices.Concat(c.Key.PEM(), c.ChainPEM()) }

// issue makes a pair with a key of its own.
func (i issuer) issue(number int) (certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(int64(number) + 1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: i.now().Add(-time.Hour), NotAfter: i.now().AddDate(0, 3, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leaf, err := x509.CreateCertificate(rand.Reader, template, i.cert, &key.PublicKey, i.key)
	if err != nil {
		return certificate{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return certificate{}, err
	}
	chain := slices.Concat(pemBlock("CERTIFICATE", leaf), pemBlock("CERTIFICATE", i.cert.Raw))
	pair, err := certwatch.FromPEM(chain, pemBlock("PRIVATE KEY", private))
	if err != nil {
		return certificate{}, fmt.Errorf("certificate %d: %w", number, err)
	}
	record, err := pair.Chain.Association(tlsa.EE, 0)
	return certificate{pair, number, record}, err
}

func pemBlock(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}
