package probe

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keyOf makes a key of each algorithm once: RSA takes its time.
var keyOf = map[string]func() crypto.Signer{
	"rsa": sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) }),
	"ecdsa": sync.OnceValue(func() crypto.Signer {
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}),
	"ed25519": sync.OnceValue(func() crypto.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}),
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// certificate makes a self-signed one that says its algorithm and purpose.
func certificate(t *testing.T, algorithm, name string) tls.Certificate {
	t.Helper()
	key := keyOf[algorithm]()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Unix(1e9, 0), // long out of date, which is not for a probe to mind
		NotAfter:     time.Unix(1e9+3600, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// with is the configuration of a server that has one certificate for mx.example of
// each of the algorithms.
func with(t *testing.T, algorithms ...string) *tls.Config {
	t.Helper()
	c := &tls.Config{MinVersion: tls.VersionTLS10}
	for _, a := range algorithms {
		c.Certificates = append(c.Certificates, certificate(t, a, "mx.example"))
	}
	return c
}

// serve starts a server on loopback, which ends with the test; each connection
// is closed after talk.
func serve(t *testing.T, talk func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(30 * time.Second))
				talk(c)
			})
		}
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// serveTLS starts a server that does nothing but TLS.
func serveTLS(t *testing.T, config *tls.Config) netip.AddrPort {
	return serve(t, func(c net.Conn) {
		s := tls.Server(c, config)
		if s.Handshake() == nil {
			io.Copy(io.Discard, s)
		}
	})
}

// A script is the server's part of a conversation, a step a string:
//
//	"S: text"   the server says text and CR LF
//	"C: text"   the server waits for this line
//	"raw text"  the server sends text as it is
//	"TLS"       the server shakes hands
//	"wait 30s"  the server takes its time
//	"hang"      the server waits for the client to close
//
// At its end the client must close, or the server does with "close".
type script []string

// play plays the script on c and says where the client strayed from it.
func (s script) play(c net.Conn, config *tls.Config) error {
	in := bufio.NewReader(c)
	out := io.Writer(c)
	for _, step := range s {
		switch kind, text, _ := strings.Cut(step, " "); kind {
		case "S:":
			io.WriteString(out, text+"\r\n")
		case "raw":
			io.WriteString(out, text)
		case "C:":
			line, err := in.ReadString('\n')
			if err != nil || line != text+"\r\n" {
				return errors.New("want " + text + ", the client said " + said(line))
			}
		case "TLS":
			if in.Buffered() > 0 {
				return errors.New("the client did not wait for the go-ahead")
			}
			secure := tls.Server(c, config)
			if err := secure.Handshake(); err != nil {
				return err
			}
			in, out = bufio.NewReader(secure), secure
		case "wait":
			time.Sleep(must(time.ParseDuration(text)))
		case "hang":
			io.Copy(io.Discard, in)
			return nil
		case "close":
			return nil
		default:
			panic("no such step: " + step)
		}
	}
	if rest, err := io.ReadAll(in); len(rest) > 0 {
		return errors.New("the client went on: " + said(string(rest)))
	} else if err != nil {
		return err
	}
	return nil
}
