package acme

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
)

// proxy stands before a CA and does to requests what networks and CAs in trouble do.
type proxy struct {
	directory string

	mu     sync.Mutex
	faults map[string]fault
	asked  map[string]int // by step
}

// A fault answers in the CA's place: false if it does not want to.
type fault func(w http.ResponseWriter, r *http.Request, nth int) bool

// steps are the paths of Pebble.
var steps = map[string]string{
	"directory": "/dir", "nonce": "/nonce-plz", "account": "/sign-me-up", "order": "/order-plz", "authorization": "/authZ/",
	"challenge": "/chalZ/", "finalize": "/finalize-order/", "poll": "/my-order/", "certificate": "/certZ/", "renewal": "/draft-ietf-acme-ari-03/",
}

func (p *pebble) proxy(t *testing.T) *proxy {
	t.Helper()
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { // the CA makes its URLs of the Host header
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", p.host, r.In.Host
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}, DisableKeepAlives: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	x := &proxy{faults: map[string]fault{}, asked: map[string]int{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for step, path := range steps {
			if !strings.HasPrefix(r.URL.Path, path) {
				continue
			}
			x.mu.Lock()
			x.asked[step]++
			f, nth := x.faults[step], x.asked[step]
			x.mu.Unlock()
			if f != nil && f(w, r, nth) {
				return
			}
		}
		pass.ServeHTTP(w, r)
	}))
	cert, err := tls.X509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	x.directory = server.URL + "/dir"
	return x
}

// at sets the fault of a step, and takes the others away.
func (x *proxy) at(step string, f fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.faults, x.asked = map[string]fault{step: f}, map[string]int{}
}

func (x *proxy) count(step string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.asked[step]
}

// problem answers with a problem document.
func problemReply(status int, kind, detail string, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		io.WriteString(w, `{"type":"urn:ietf:params:acme:error:`+kind+`","detail":"`+detail+`"}`)
		return true
	}
}

// page answers with something that is none of ACME's.
func page(status int, text string, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, text)
		return true
	}
}

// hangUp ends the connection without a reply.
func hangUp(w http.ResponseWriter, _ *http.Request, _ int) bool {
	panic(http.ErrAbortHandler)
}
