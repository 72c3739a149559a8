package lab

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

// ServePolicy starts a server with a domain's MTA-STS policy (RFC 8461, section 3.3), on port
// 443 of an address of its own; p is for mta-sts.DOMAIN. It ends with the test.
func (l *Lab) ServePolicy(t testing.TB, domain, text string, p *Pair) netip.Addr {
	t.Helper()
	at, err := l.block.spare()
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, 443).String())
	if err != nil {
		t.Fatalf("lab: policy: %v", err)
	}
	server := &http.Server{
		ErrorLog:  log.New(io.Discard, "", 0), // clients that do not like the certificate
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{p.certificate()}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "mta-sts."+domain || r.URL.Path != "/.well-known/mta-sts.txt" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, text)
		}),
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
	return at
}
