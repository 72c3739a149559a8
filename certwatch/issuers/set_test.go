package issuers

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each certificate listed is a CA's, for servers, in date at the list's date, and
// leads by its signatures to a root: to the one in testdata everywhere, and to one
// that the host trusts where the host has any.
func TestEachLeadsToARoot(t *testing.T) {
	roots := map[string]*x509.CertPool{"testdata": pool(t, "testdata/roots.pem")}
	const host = "/etc/ssl/certs/ca-certificates.crt"
	switch _, err := os.Stat(host); {
	case err == nil:
		roots[host] = pool(t, host)
	case errors.Is(err, fs.ErrNotExist):
		t.Logf("LEFT OUT: there is no %s, so only the roots in testdata vouch", host)
	default:
		t.Fatal(err)
	}
	cross := pool(t, "testdata/roots-cross-signed.pem")
	for _, name := range Sets() {
		for _, cert := range named(t, name).Certificates {
			if !cert.IsCA || !cert.BasicConstraintsValid || cert.KeyUsage&x509.KeyUsageCertSign == 0 {
				t.Errorf("%s: %s may not sign certificates", name, cert.Subject)
			}
			if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
				t.Errorf("%s: %s is a root: roots sign no leaves", name, cert.Subject)
			}
			for where, pool := range roots {
				_, err := cert.Verify(x509.VerifyOptions{Roots: pool, Intermediates: cross, CurrentTime: named(t, name).AsOf, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
				if err != nil {
					t.Errorf("%s: %s does not lead to a root of %s: %v", name, cert.Subject, where, err)
				}
			}
		}
	}
}

// The check above finds a certificate that was forged, and one that has ended.
func TestForgedAndEndedLeadNowhere(t *testing.T) {
	set := named(t, "letsencrypt")
	opts := x509.VerifyOptions{Roots: pool(t, "testdata/roots.pem"), Intermediates: pool(t, "testdata/roots-cross-signed.pem"), CurrentTime: set.AsOf}
	for _, cert := range set.Certificates {
		der := bytes.Clone(cert.Raw)
		der[len(der)-1] ^= 1
		forged, err := x509.ParseCertificate(der)
		if err == nil {
			_, err = forged.Verify(opts)
		}
		if err == nil {
			t.Errorf("%s with another signature leads to a root", cert.Subject)
		}
		late := opts
		late.CurrentTime = cert.NotAfter.Add(time.Second)
		if _, err := cert.Verify(late); err == nil {
			t.Errorf("%s leads to a root after its end", cert.Subject)
		}
	}
}

// What each set holds: six, and by the kind of key three and three.
func TestSets(t *testing.T) {
	for name, want := range map[string]string{
		"letsencrypt":       "YE1 YE2 YE3 YR1 YR2 YR3",
		"letsencrypt-ecdsa": "YE1 YE2 YE3",
		"letsencrypt-rsa":   "YR1 YR2 YR3",
	} {
		set := named(t, name)
		var got []string
		for _, cert := range set.Certificates {
			got = append(got, cert.Subject.CommonName)
			_, isRSA := cert.PublicKey.(*rsa.PublicKey)
			_, isECDSA := cert.PublicKey.(*ecdsa.PublicKey)
			if isRSA != strings.HasPrefix(cert.Subject.CommonName, "YR") || isECDSA != strings.HasPrefix(cert.Subject.CommonName, "YE") {
				t.Errorf("%s: %s has a key of %T", name, cert.Subject, cert.PublicKey)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
		if set.AsOf.Format(time.DateOnly) != "2026-07-08" {
			t.Errorf("%s is as of %s", name, set.AsOf)
		}
	}
	if len(Sets()) != 3 {
		t.Errorf("sets are %q", Sets())
	}
	if _, err := Named("letsencrypt-dsa"); err == nil || err.Error() != `no set of issuers is called "letsencrypt-dsa" (hint: one of letsencrypt, letsencrypt-ecdsa, letsencrypt-rsa)` {
		t.Errorf("of a set that there is not: %v", err)
	}
}

func named(t *testing.T, name string) Set {
	t.Helper()
	set, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Certificates) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return set
}

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // a trust store of a host may hold what Go does not read
		}
		pool.AddCert(cert)
		n++
	}
	if n == 0 {
		t.Fatalf("%s holds no certificate", file)
	}
	return pool
}

// TestRetired: the list of what is used no more has nothing of what is in use.
func TestRetired(t *testing.T) {
	retired, err := Retired()
	if err != nil {
		t.Fatal(err)
	}
	if len(retired) != 6 {
		t.Errorf("%d, want 6", len(retired))
	}
	for _, name := range Sets() {
		for _, cert := range named(t, name).Certificates {
			sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
			if slices.Contains(retired, hex.EncodeToString(sum[:])) {
				t.Errorf("%s: %s is in use and retired", name, cert.Subject)
			}
		}
	}
}
