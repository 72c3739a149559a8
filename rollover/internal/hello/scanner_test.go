package hello

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// A result is what the rules go by.
var _ = audit.TLS(Result{})

func TestVersions(t *testing.T) {
	all := []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}
	for name, r := range map[string]struct {
		oldest, newest uint16
		want           []uint16
		connections    int32
	}{
		"all":          {tls.VersionTLS10, tls.VersionTLS13, all, 5},
		"1.2 and 1.3":  {tls.VersionTLS12, tls.VersionTLS13, all[2:], 3},
		"1.3":          {tls.VersionTLS13, tls.VersionTLS13, all[3:], 2},
		"1.2":          {tls.VersionTLS12, tls.VersionTLS12, all[2:3], 2},
		"1.0 and 1.1":  {tls.VersionTLS10, tls.VersionTLS11, all[:2], 3},
		"1.0 and more": {tls.VersionTLS10, tls.VersionTLS12, all[:3], 4},
		"1.0":          {tls.VersionTLS10, tls.VersionTLS10, all[:1], 2},
	} {
		t.Run(name, func(t *testing.T) {
			at, count := serveTLS(t, func(c *tls.Config) { c.MinVersion, c.MaxVersion = r.oldest, r.newest }, "ecdsa")
			got := newScanner().Versions(t.Context(), endpoint, at)
			if !slices.Equal(got.Versions, r.want) || got.Err != "" || got.Suites != nil {
				t.Errorf("%+v", got)
			}
			if n := count.Load(); n != r.connections {
				t.Errorf("%d connections, want %d", n, r.connections)
			}
		})
	}
}

func TestAll(t *testing.T) {
	for name, r := range map[string]struct {
		algorithms []string
		change     func(*tls.Config)
		check      func(t *testing.T, r *Result)
	}{
		"ECDSA": {[]string{"ecdsa"}, func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }, func(t *testing.T, r *Result) {
			same(t, "suites of TLS 1.2", r.Suites[tls.VersionTLS12],
				tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
				tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA)
			same(t, "suites of TLS 1.3", r.Suites[tls.VersionTLS13], tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256)
			same(t, "hashes", r.Hashes, "sha256")
			same(t, "groups", r.Groups, "x25519", "secp256r1", "secp384r1", "secp521r1", "x25519mlkem768", "secp256r1mlkem768", "secp384r1mlkem1024")
			if !r.OwnOrder[tls.VersionTLS12] {
				t.Error("crypto/tls has an order of its own")
			}
			if r.ExtendedMasterSecret == nil || !*r.ExtendedMasterSecret || r.SecureRenegotiation == nil || !*r.SecureRenegotiation || r.Compression == nil || *r.Compression {
				t.Errorf("%+v", r)
			}
		}},
		"RSA with bad suites": {[]string{"rsa"}, func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
		}, func(t *testing.T, r *Result) {
			same(t, "suites of TLS 1.2", r.Suites[tls.VersionTLS12], tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256)
			if len(r.Versions) != 3 || len(r.Suites) != 1 {
				t.Errorf("%+v", r)
			}
			same(t, "hashes", r.Hashes, "sha256")
		}},
		"TLS 1.0 with RSA": {[]string{"rsa"}, func(c *tls.Config) {
			c.MaxVersion, c.CurvePreferences = tls.VersionTLS10, []tls.CurveID{tls.CurveP384}
		}, func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS10)
			same(t, "hashes", r.Hashes, "md5-sha1")
			same(t, "groups", r.Groups, "secp384r1")
			if r.ExtendedMasterSecret != nil {
				t.Error("the extended master secret is asked for in TLS 1.2")
			}
		}},
		"TLS 1.1 with ECDSA": {[]string{"ecdsa"}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }, func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS10, tls.VersionTLS11)
			same(t, "hashes", r.Hashes, "sha1")
		}},
		"TLS 1.3 alone": {[]string{"rsa"}, func(c *tls.Config) {
			c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{tls.X25519}
		}, func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS13)
			same(t, "groups", r.Groups, "x25519")
			if len(r.Hashes) != 0 || r.Compression != nil || r.SecureRenegotiation != nil {
				t.Errorf("%+v", r)
			}
		}},
		"Ed25519": {[]string{"ed25519"}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS12)
			same(t, "hashes", r.Hashes, "intrinsic")
		}},
		"both": {[]string{"rsa", "ecdsa"}, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, func(t *testing.T, r *Result) {
			if n := len(r.Suites[tls.VersionTLS12]); n != 10 {
				t.Errorf("%d suites of TLS 1.2", n)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			at, count := serveTLS(t, r.change, r.algorithms...)
			got := newScanner().All(t.Context(), endpoint, at)
			if got.Err != "" {
				t.Error(got.Err)
			}
			t.Logf("%d connections", count.Load())
			r.check(t, got)
		})
	}
}

// TestSTARTTLS has the dialogue of SMTP before each ClientHello.
func TestSTARTTLS(t *testing.T) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate(t, keys()["ecdsa"])}}
	at, count := serve(t, func(c net.Conn) {
		if speak(c) {
			_ = tls.Server(c, config).Handshake()
		}
	})
	got := newScanner().Versions(t.Context(), probe.Endpoint{Scheme: "smtp", Host: endpoint.Host, Port: 25}, at)
	if !slices.Equal(got.Versions, []uint16{tls.VersionTLS13}) || got.Err != "" || count.Load() != 2 {
		t.Errorf("%+v in %d connections", got, count.Load())
	}
}
