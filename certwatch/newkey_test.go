package certwatch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestNewKeys makes a key of each type: what is written is read again, its record is
// the one of its certificate, and it prints as nothing.
func TestNewKeys(t *testing.T) {
	for _, kind := range certwatch.KeyTypes() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			made, err := kind.Generate()
			if err != nil {
				t.Fatal(err)
			}
			k, err := certwatch.ParseKey("next.pem", made.PEM())
			if err != nil {
				t.Fatal(err)
			}
			if got := certwatch.KeyTypeOf(k.Public()); got != kind {
				t.Errorf("KeyTypeOf = %q", got)
			}
			template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx1.example.org"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
			der, err := x509.CreateCertificate(rand.Reader, &template, &template, k.Public(), k.Signer())
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			want, err := tlsa.Associate(tlsa.EE, cert)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.Association(); err != nil || got != want {
				t.Errorf("Association = %v, %v, want %v", got, err, want)
			}
			if text := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Contains(text, "PRIVATE") {
				t.Error("the key prints")
			}
		})
	}
}

func TestUnknownKeyType(t *testing.T) {
	const want = `key type "ed25519": unknown (hint: one of ec256, ec384, rsa2048, rsa3072, rsa4096)`
	if _, err := certwatch.ParseKeyType("ed25519"); err == nil || err.Error() != want {
		t.Errorf("ParseKeyType: %v", err)
	}
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := certwatch.KeyTypeOf(k.Public()); got != "" {
		t.Errorf("KeyTypeOf of a P-521 key = %q", got)
	}
}
