package hello

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var endpoint = probe.Endpoint{Scheme: "tls", Host: "mx.example.org", Port: 443}

func newScanner() *Scanner { return &Scanner{Prober: new(probe.Prober)} }

func certificate(t testing.TB, key crypto.Signer) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{endpoint.Host}, NotAfter: time.Unix(4e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// keys are made once, as RSA takes its time.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	e, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, d, err3 := ed25519.GenerateKey(rand.Reader)
	if err != nil || err2 != nil || err3 != nil {
		panic("no keys")
	}
	return map[string]crypto.Signer{"rsa": r, "ecdsa": e, "ed25519": d}
})

// serve answers each connection, and counts them.
func serve(t testing.TB, talk func(net.Conn)) (netip.AddrPort, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count := new(atomic.Int32)
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			all.Go(func() { defer c.Close(); talk(c) })
		}
	})
	return netip.MustParseAddrPort(l.Addr().String()), count
}

func serveTLS(t testing.TB, change func(*tls.Config), algorithms ...string) (netip.AddrPort, *atomic.Int32) {
	t.Helper()
	config := &tls.Config{MinVersion: tls.VersionTLS10}
	for _, a := range algorithms {
		config.Certificates = append(config.Certificates, certificate(t, keys()[a]))
	}
	if change != nil {
		change(config)
	}
	return serve(t, func(c net.Conn) {
		if s := tls.Server(c, config); s.Handshake() == nil {
			t.Error("a handshake came to its end")
		}
	})
}

// speak is a mail server up to its go-ahead for TLS.
func speak(c net.Conn) bool {
	buffer := make([]byte, 512)
	for _, says := range []string{"220 mx.example.org\r\n", "250-mx.example.org\r\n250 STARTTLS\r\n"} {
		if _, err := io.WriteString(c, says); err != nil {
			return false
		}
		if _, err := c.Read(buffer); err != nil {
			return false
		}
	}
	_, err := io.WriteString(c, "220 go ahead\r\n")
	return err == nil
}

// same compares what may come in any order.
func same[T interface{ uint16 | string }](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	got = slices.Clone(got)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
