package rfc2136_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

const serverName = "ns1.example.org"

// secureNamed is a BIND that offers TLS on a port of its own.
type secureNamed struct {
	*named
	secure string // its address
	roots  *x509.CertPool
	pair   tls.Certificate
}

func startSecureNamed(t *testing.T) *secureNamed {
	t.Helper()
	program := needs(t, "named")
	dir := t.TempDir()
	s := &secureNamed{roots: x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.roots.AppendCertsFromPEM(cert)
	s.pair = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	write(t, filepath.Join(dir, "cert.pem"), string(cert))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	write(t, filepath.Join(dir, "zone"), zoneFile)
	port, secure := freePort(t), freePort(t)
	write(t, filepath.Join(dir, "named.conf"), fmt.Sprintf(`
tls server { cert-file "cert.pem"; key-file "key.pem"; protocols { TLSv1.3; }; };
options {
	directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
	listen-on port %d { 127.0.0.1; }; listen-on port %d tls server { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; minimal-responses yes;
};
controls { };
key %q { algorithm hmac-sha256; secret %q; };
zone %q { type primary; file "zone"; allow-update { key %q; }; dnssec-policy default; inline-signing yes; };
`, dir, dir, port, secure, keyName, secret, zone, keyName))
	s.named = &named{address: fmt.Sprintf("127.0.0.1:%d", port), log: new(lockedBuffer)}
	s.secure = fmt.Sprintf("127.0.0.1:%d", secure)
	cmd := exec.Command(program, "-g", "-n", "1", "-c", filepath.Join(dir, "named.conf"))
	cmd.Stdout, cmd.Stderr = s.log, s.log
	start(t, cmd)
	s.wait(t)
	return s
}

// TestProviderOverTLS holds the provider to the common suite at BIND's own port for TLS.
func TestProviderOverTLS(t *testing.T) {
	s := startSecureNamed(t)
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		proxy := newTLSProxy(t, s.secure,
			&tls.Config{Certificates: []tls.Certificate{s.pair}, MinVersion: tls.VersionTLS13, NextProtos: []string{"dot"}},
			&tls.Config{RootCAs: s.roots, ServerName: serverName, MinVersion: tls.VersionTLS13, NextProtos: []string{"dot"}})
		return fixture(t, s.named, proxy, func(c *rfc2136.Config) {
			c.TLS = &rfc2136.TLS{ServerName: serverName, Roots: s.roots}
		})
	})
}

// TestTLSSaysNo: there is no way to go on without TLS, or with somebody else.
func TestTLSSaysNo(t *testing.T) {
	s := startSecureNamed(t)
	for _, test := range []struct {
		name   string
		change func(*rfc2136.Config)
		kind   dnsprovider.Kind
		want   string
	}{
		{"all is well", func(*rfc2136.Config) {}, 0, ""},
		{"another name", func(c *rfc2136.Config) { c.TLS.ServerName = "ns2.example.org" }, dnsprovider.Unauthentic,
			"TLS: tls: failed to verify certificate: x509: certificate is valid for ns1.example.org, not ns2.example.org (hint: the server's certificate has to be valid for the name ns2.example.org, and from a CA that is believed)"},
		{"another CA", func(c *rfc2136.Config) { c.TLS.Roots = x509.NewCertPool() }, dnsprovider.Unauthentic,
			"TLS: tls: failed to verify certificate: x509: certificate signed by unknown authority (hint: the server's certificate has to be valid for the name ns1.example.org, and from a CA that is believed)"},
		{"a port without TLS", func(c *rfc2136.Config) { c.Server = s.address }, dnsprovider.Temporary,
			"TLS: no reply within 3s (hint: does the server offer TLS at this port, which is 853 as a rule)"},
		{"a port with TLS, in the clear", func(c *rfc2136.Config) { c.TLS = nil }, dnsprovider.Temporary,
			"(hint: is the server up, and does it take TCP from here)"},
		{"port 853, in the clear", func(c *rfc2136.Config) {
			c.TLS, c.Server = nil, "127.0.0.1:853"
			c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.secure)
			}
		}, dnsprovider.Temporary, "(hint: port 853 is for TLS, and TLS is not configured)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(&server{address: s.secure})
			c.Timeout, c.TLS = 3*time.Second, &rfc2136.TLS{ServerName: serverName, Roots: s.roots}
			test.change(&c)
			_, err := newProvider(t, c).RRset(t.Context(), zone, owner)
			switch got := dnsprovider.KindOf(err); {
			case got != test.kind:
				t.Errorf("error is of kind %v: %v", got, err)
			case err != nil && !strings.HasSuffix(err.Error(), test.want):
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
		})
	}
}

func TestTLSConfig(t *testing.T) {
	base := func() rfc2136.Config {
		c := config(&server{address: "192.0.2.53:853"})
		c.TLS = &rfc2136.TLS{}
		return c
	}
	for want, change := range map[string]func(*rfc2136.Config){
		"rfc2136: the server 192.0.2.53 is an address, and certificates are for names (hint: set the name that its certificate is for)": func(*rfc2136.Config) {},
		"rfc2136: TLS needs the server, or the name in its certificate (hint: set server)":                                              func(c *rfc2136.Config) { c.Server = "" },
		`rfc2136: the name in the server's certificate: name "a..b": an empty label`:                                                    func(c *rfc2136.Config) { c.TLS.ServerName = "a..b" },
	} {
		c := base()
		change(&c)
		if _, err := rfc2136.New(c); err == nil || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
	// The port is that of DNS over TLS where none is given.
	var dialled []string
	c := base()
	c.Server, c.TLS.ServerName = "192.0.2.53", serverName
	c.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, net.ErrClosed
	}
	if _, err := newProvider(t, c).RRset(t.Context(), zone, owner); err == nil || len(dialled) == 0 || dialled[0] != "192.0.2.53:853" {
		t.Errorf("dialled %v, %v", dialled, err)
	}
}
