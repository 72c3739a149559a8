package tlsa_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// All certificates are valid from begin to end, unless they say otherwise.
var (
	begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	end   = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

const host = "mx1.example.org"

// A party has a certificate and its key.
type party struct {
	*x509.Certificate
	key crypto.Signer
}

// A trait changes a certificate before it is signed.
type trait func(template *x509.Certificate, key *crypto.Signer)

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate signed by issuer, or by itself where that is zero.
func issue(t testing.TB, issuer party, name string, traits ...trait) party {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    begin,
		NotAfter:     end,
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
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{cert, key}
}

// issueLeaf makes a server's certificate for host.
func issueLeaf(t testing.TB, issuer party, traits ...trait) party {
	t.Helper()
	return issue(t, issuer, "", append([]trait{dns(host)}, traits...)...)
}

// issueCA makes a CA's certificate.
func issueCA(t testing.TB, issuer party, name string, traits ...trait) party {
	t.Helper()
	return issue(t, issuer, name, append([]trait{ca}, traits...)...)
}

func ca(c *x509.Certificate, _ *crypto.Signer) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign
}

func dns(names ...string) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) { c.DNSNames = names }
}

func with(change func(c *x509.Certificate)) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) { change(c) }
}

func keyed(key crypto.Signer) trait {
	return func(_ *x509.Certificate, k *crypto.Signer) { *k = key }
}

func dated(from, to time.Time) trait {
	return func(c *x509.Certificate, _ *crypto.Signer) { c.NotBefore, c.NotAfter = from, to }
}

func present(t testing.TB, parties ...party) *tlsa.Chain {
	t.Helper()
	certs := make([]*x509.Certificate, len(parties))
	for i, p := range parties {
		certs[i] = p.Certificate
	}
	c, err := tlsa.NewChain(certs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// record gives the association of p's certificate, by its combination: "3 1 1".
func record(t testing.TB, combination string, p party) tlsa.Association {
	t.Helper()
	a, err := tlsa.ParseAssociation(combination + " 00")
	if err != nil {
		t.Fatal(err)
	}
	a, err = tlsa.Associate(a.Params, p.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// spoilt changes one digit of the data.
func spoilt(a tlsa.Association) tlsa.Association {
	last := len(a.Data) - 1
	digit := "0"
	if a.Data[last] == '0' {
		digit = "1"
	}
	a.Data = a.Data[:last] + digit
	return a
}

// version1 makes p's certificate one of the time before extensions, signed by
// itself or by issuer.
func version1(t testing.TB, p party, issuer ...party) party {
	t.Helper()
	signer := append(issuer, p)[0]
	var fields []asn1.RawValue
	if _, err := asn1.Unmarshal(p.RawTBSCertificate, &fields); err != nil {
		t.Fatal(err)
	}
	algorithm := fields[2]
	tbs := marshal(t, slices.DeleteFunc(fields, func(field asn1.RawValue) bool {
		return field.Class == asn1.ClassContextSpecific // the version and the extensions
	}))
	digest := sha256.Sum256(tbs)
	signature, err := signer.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(marshal(t, struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}))
	if err != nil {
		t.Fatal(err)
	}
	return party{cert, p.key}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
