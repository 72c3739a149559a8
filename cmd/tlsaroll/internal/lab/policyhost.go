package lab

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// Policies are MTA-STS policies by the domains that they are for (RFC 8461, section 3.3), on
// port 443 of one address.
type Policies struct {
	Addr netip.Addr

	mu  sync.Mutex
	has map[string]policy // by host
}

type policy struct {
	text string
	pair tls.Certificate
}

// Set gives a domain a policy; the pair is for mta-sts.DOMAIN, or meant not to be.
func (p *Policies) Set(domain, text string, pair *Pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.has["mta-sts."+domain] = policy{text, pair.certificate()}
}

func (p *Policies) of(host string) (policy, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.has[strings.ToLower(host)]
	return one, ok
}

// ServeHTTP gives the policy of the host that is asked; it is for [http.Server].
func (p *Policies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one, ok := p.of(r.Host)
	if !ok || r.URL.Path != "/.well-known/mta-sts.txt" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, one.text)
}

func (p *Policies) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	one, ok := p.of(hello.ServerName)
	if !ok {
		return nil, errors.New("no such host here")
	}
	return &one.pair, nil
}

// ServePolicies starts a server without a policy yet; it ends with the test.
func (l *Lab) ServePolicies(t testing.TB) *Policies {
	t.Helper()
	at, err := l.block.spare()
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, 443).String())
	if err != nil {
		t.Fatalf("lab: policies: %v", err)
	}
	p := &Policies{Addr: at, has: map[string]policy{}}
	server := &http.Server{
		ErrorLog:  log.New(io.Discard, "", 0), // clients that do not like the certificate
		Handler:   p,
		TLSConfig: &tls.Config{GetCertificate: p.certificate},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return p
}
