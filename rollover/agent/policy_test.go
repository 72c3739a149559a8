package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const policyText = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 604800\r\n"

// policyHost serves the policies of example.org, with a certificate for names.
func policyHost(t *testing.T, handler http.HandlerFunc, names ...string) policyFetcher {
	t.Helper()
	authority := newCA(t)
	pair := authority.issue(t, names...)
	cert, err := tls.X509KeyPair(pair.ChainPEM(), pair.Key.PEM())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	return policyFetcher{roots: roots, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "mta-sts.example.org:443" {
			return nil, fmt.Errorf("no such host: %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
}

func TestFetchPolicy(t *testing.T) {
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
			fmt.Fprint(w, policyText, strings.Repeat("mx: mx1.example.org\r\n", policySize/20))
		}, "mta-sts.example.org", url + ": larger than 65536 octets"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, policyText)
		}, "mta-sts.example.org", url + ": unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := policyHost(t, test.handler, test.cert).fetch(t.Context(), "example.org")
			switch {
			case test.want == "" && (err != nil || text != policyText):
				t.Errorf("got %q, %v", text, err)
			case test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)):
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestFetchPolicyTrustsNobodyElse: the host's own roots do not vouch for the test's CA.
func TestFetchPolicyTrustsNobodyElse(t *testing.T) {
	f := policyHost(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }, "mta-sts.example.org")
	f.roots = nil
	if _, err := f.fetch(t.Context(), "example.org"); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
}

func TestFetchPolicyEnds(t *testing.T) {
	stop := make(chan struct{})
	f := policyHost(t, func(http.ResponseWriter, *http.Request) { <-stop }, "mta-sts.example.org")
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.fetch(ctx, "example.org"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestPolicyMode(t *testing.T) {
	for _, test := range []struct{ name, text, mode, err string }{
		{"enforce", policyText, "enforce", ""},
		{"testing, LF alone", "version: STSv1\nmode: testing\nmx: a\nmax_age: 1\n", "testing", ""},
		{"none, another order, no end of line", "max_age: 1\nmode:none\nversion:  STSv1 ", "none", ""},
		{"twice: the first counts", "version: STSv1\nmode: none\nmode: enforce\n", "none", ""},
		{"unknown fields", "version: STSv1\nfuture: x: y\nmode: enforce\nnonsense\n", "enforce", ""},
		{"no version", "mode: enforce\n", "", "no version STSv1"},
		{"another version", "version: STSv2\nmode: enforce\n", "", "no version STSv1"},
		{"no mode", "version: STSv1\n", "", `mode "": neither enforce nor testing nor none`},
		{"another mode", "version: STSv1\nmode: Enforce\n", "", `mode "Enforce": neither enforce nor testing nor none`},
		{"nothing", "", "", "no version STSv1"},
	} {
		mode, err := policyMode(test.text)
		if mode != test.mode || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: %q, %v", test.name, mode, err)
		}
	}
}

func FuzzPolicyMode(f *testing.F) {
	f.Add(policyText)
	f.Add("version: STSv1\nmode: none")
	f.Add(":\n::\r\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		mode, err := policyMode(text)
		if (mode == "") != (err != nil) {
			t.Errorf("mode %q, %v", mode, err)
		}
		if again, _ := policyMode(strings.ReplaceAll(text, "\r\n", "\n")); again != mode {
			t.Errorf("the end of a line decides: %q, %q", mode, again)
		}
	})
}
