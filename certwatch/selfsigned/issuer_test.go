package selfsigned

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var now = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

func issue(t *testing.T, i Issuer, kind certwatch.KeyType, names ...string) (certwatch.Key, certwatch.Pair) {
	t.Helper()
	key, err := kind.Generate()
	if err != nil {
		t.Fatal(err)
	}
	p, err := i.Issue(t.Context(), certwatch.Request{Names: names, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return key, p
}

// TestIssue: of each kind of key, a certificate that a TLS client takes who trusts it,
// and that a DANE client takes who knows the key.
func TestIssue(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example.org" // too long for a common name
	for _, kind := range []certwatch.KeyType{certwatch.EC256, certwatch.EC384, certwatch.RSA2048} {
		for _, names := range [][]string{{"mx1.example.org", "*.mail.example.org"}, {long}} {
			key, p := issue(t, Issuer{Now: func() time.Time { return now }}, kind, names...)
			leaf := p.Chain.Leaf()
			if got := certwatch.KeyTypeOf(leaf.PublicKey); got != kind || !slices.Equal(p.Chain.Names(), names) || !p.SelfSigned() {
				t.Errorf("%s for %v, self-signed %t; want %s for %v", got, p.Chain.Names(), p.SelfSigned(), kind, names)
			}
			if from, to := now.Sub(leaf.NotBefore), leaf.NotAfter.Sub(now); from != time.Hour || to != DefaultLifetime {
				t.Errorf("from %s before now to %s after", from, to)
			}
			roots := x509.NewCertPool()
			roots.AddCert(leaf)
			for _, host := range []string{names[0], strings.Replace(names[len(names)-1], "*", "imap", 1)} {
				if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
					t.Errorf("%s, for %s: %v", kind, host, err)
				}
			}
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
				t.Errorf("%s: good for clients, too", kind)
			}
			record, err := key.Association()
			if err != nil {
				t.Fatal(err)
			}
			set := tlsa.NewRRset(time.Hour, record)
			if err := set.Authenticates(p.Chain, tlsa.Reference{Names: []string{names[0]}, Time: now, SMTP: true}); err != nil {
				t.Errorf("%s: a DANE client says: %v", kind, err)
			}
			if leaf.IsCA {
				t.Errorf("%s: it may sign others", kind)
			}
		}
	}
}

// TestRenewal: when a third of the lifetime is left, of a short one, too.
func TestRenewal(t *testing.T) {
	for _, tt := range []struct{ lifetime, want time.Duration }{
		{DefaultLifetime, 60*24*time.Hour - 20*time.Minute}, // of the hour before, too
		{time.Minute, 38 * time.Second},
	} {
		_, p := issue(t, Issuer{Lifetime: tt.lifetime, Now: func() time.Time { return now }}, certwatch.EC256, "mx1.example.org")
		r, err := Issuer{}.Renewal(context.Background(), p.Chain.Leaf())
		if got := r.At.Sub(now); err != nil || got != tt.want || !r.Again.IsZero() || r.Reason == "" {
			t.Errorf("of %s: renewed after %s, %v; want %s", tt.lifetime, got, err, tt.want)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	key, err := certwatch.EC256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Issuer{}).Issue(t.Context(), certwatch.Request{Key: key}); err == nil || err.Error() != "self-signed: no names" {
		t.Errorf("without names: %v", err)
	}
	if _, err := (Issuer{Lifetime: -time.Hour}).Issue(t.Context(), certwatch.Request{Key: key, Names: []string{"mx1.example.org"}}); err == nil {
		t.Error("it ends before it begins")
	}
}
