package stsfetch

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const policyText = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 604800\r\n"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// policyHost serves the policies of example.org, with a certificate for names.
func policyHost(t *testing.T, handler http.HandlerFunc, names ...string) Fetcher {
	t.Helper()
	cert, leaf := selfSigned(t, names...)
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return Fetcher{Roots: roots, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "mta-sts.example.org:443" {
			return nil, fmt.Errorf("no such host: %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
}

func TestFetch(t *testing.T) {
	good := func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "mta-sts.example.org" || r.URL.Path != "/.well-known/mta-sts.txt" || r.Method != http.MethodGet {
			http.Error(w, "not this", http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, policyText)
	}
	const url = "https://mta-sts.example.org/.well-known/mta-sts.txt"
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		cert    string
		want    string // of the error; "": the policy
	}{
		{"as it should be", good, "mta-sts.example.org", ""},
		{"a certificate for another name", good, "www.example.org", "not mta-sts.example.org"},
		{"a redirection", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/policy" {
				http.Redirect(w, r, "/policy", http.StatusMovedPermanently)
			} else {
				t.Error("a redirection was followed")
			}
		}, "mta-sts.example.org", url + ": HTTP status 301, want 200 (RFC 8461, section 3.3)"},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }, "mta-sts.example.org",
			url + ": HTTP status 404, want 200 (RFC 8461, section 3.3)"},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><body>"+policyText) }, "mta-sts.example.org",
			url + `: media type "text/html; charset=utf-8", want text/plain (RFC 8461, section 3.2)`},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, policyText, strings.Repeat("mx: mx1.example.org\r\n", size/20))
		}, "mta-sts.example.org", url + ": larger than 65536 octets"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, policyText)
		}, "mta-sts.example.org", url + ": unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := policyHost(t, test.handler, test.cert).Fetch(t.Context(), "example.org")
			switch {
			case test.want == "" && (err != nil || text != policyText):
				t.Errorf("got %q, %v", text, err)
			case test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)):
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestFetchTrustsNobodyElse: the host's own roots do not vouch for the test's certificate.
func TestFetchTrustsNobodyElse(t *testing.T) {
	f := policyHost(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }, "mta-sts.example.org")
	f.Roots = nil
	if _, err := f.Fetch(t.Context(), "example.org"); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
}

func TestFetchEnds(t *testing.T) {
	stop := make(chan struct{})
	f := policyHost(t, func(http.ResponseWriter, *http.Request) { <-stop }, "mta-sts.example.org")
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Fetch(ctx, "example.org"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// selfSigned makes a certificate that is its own root.
func selfSigned(t *testing.T, names ...string) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}
