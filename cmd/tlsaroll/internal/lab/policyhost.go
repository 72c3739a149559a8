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

// A Policy is an MTA-STS policy, and the pair that its host presents (RFC 8461, section 3.3).
type Policy struct {
	Text string
	Pair *Pair // for mta-sts.DOMAIN
}

// ServePolicies starts a server of MTA-STS policies by the domains that they are for, on
// port 443 of an address of its own; it ends with the test.
func (l *Lab) ServePolicies(t testing.TB, policies map[string]Policy) netip.Addr {
	t.Helper()
	at, err := l.block.spare()
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, 443).String())
	if err != nil {
		t.Fatalf("lab: policies: %v", err)
	}
	texts, pairs := map[string]string{}, map[string]*Pair{}
	for domain, policy := range policies {
		texts["mta-sts."+domain], pairs["mta-sts."+domain] = policy.Text, policy.Pair
	}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0), // clients that do not like the certificate
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, ok := texts[r.Host]
			if !ok || r.URL.Path != "/.well-known/mta-sts.txt" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, text)
		}),
		TLSConfig: &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			p := pairs[hello.ServerName]
			if p == nil {
				return nil, errors.New("no such host here")
			}
			c := p.certificate()
			return &c, nil
		}},
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
