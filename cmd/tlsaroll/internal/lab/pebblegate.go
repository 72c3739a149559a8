package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// A PebbleGate stands before Pebble, as another address of it, and can keep questions
// when to renew from it until the test has decided on the answer.
type PebbleGate struct {
	Directory string // its URL; [Pebble.CAFile] vouches for it too

	hold chan struct{} // has one in it while the next question is to be held
	held chan struct{} // closed when one is
	open chan struct{} // closed to let it pass
}

const pebbleGatePort = 14001

// renewalInfoPath is where Pebble is asked when to renew.
const renewalInfoPath = "/draft-ietf-acme-ari-03/renewalInfo/"

// Gate starts a gate, one at most, which lets everything pass at first; it ends with the test.
func (p *Pebble) Gate(t testing.TB) *PebbleGate {
	t.Helper()
	g, err := p.gate(t)
	if err != nil {
		t.Fatalf("lab: gate before pebble: %v", err)
	}
	return g
}

func (p *Pebble) gate(t testing.TB) (*PebbleGate, error) {
	at := p.lab.block.addr(hostPebble)
	g := &PebbleGate{
		Directory: fmt.Sprintf("https://%s:%d/dir", at, pebbleGatePort),
		hold:      make(chan struct{}, 1), held: make(chan struct{}), open: make(chan struct{}),
	}
	trusted, err := p.trusted()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	target := &url.URL{Scheme: "https", Host: netip.AddrPortFrom(at, pebblePort).String()}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // what Pebble makes its URLs of
		},
	}
	server := &http.Server{
		ReadHeaderTimeout: queryTimeout,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, renewalInfoPath) {
				g.pass(r.Context())
			}
			proxy.ServeHTTP(w, r)
		}),
	}
	own, err := tls.LoadX509KeyPair(p.lab.path("pebble/directory.crt"), p.lab.path("pebble/directory.key"))
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp", netip.AddrPortFrom(at, pebbleGatePort).String(), &tls.Config{Certificates: []tls.Certificate{own}})
	if err != nil {
		return nil, err
	}
	go func() { _ = server.Serve(listener) }() // of which Close is the end
	t.Cleanup(func() {
		_ = server.Close()
		transport.CloseIdleConnections()
	})
	return g, nil
}

// pass returns when a question may go on.
func (g *PebbleGate) pass(ctx context.Context) {
	select {
	case <-g.hold:
	default:
		return
	}
	close(g.held)
	select {
	case <-g.open:
	case <-ctx.Done():
	}
}

// HoldNext has the next question held, once.
func (g *PebbleGate) HoldNext() { g.hold <- struct{}{} }

// AwaitHeld waits until a question is held.
func (g *PebbleGate) AwaitHeld(t testing.TB, limit time.Duration) {
	t.Helper()
	select {
	case <-g.held:
	case <-time.After(limit):
		t.Fatalf("lab: nobody asked Pebble when to renew within %s", limit)
	}
}

// Open lets the question pass that is held.
func (g *PebbleGate) Open() { close(g.open) }

// trusted is what to trust for the directory.
func (p *Pebble) trusted() (*x509.CertPool, error) {
	ca, err := os.ReadFile(p.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return pool, nil
}
