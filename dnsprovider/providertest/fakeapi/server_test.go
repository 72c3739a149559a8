package fakeapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
)

// notes is an API that appends what it gets to the zone, and lists it.
type notes struct{ zone *Zone }

func (n notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		text, _ := io.ReadAll(r.Body)
		n.zone.Add(n.zone.Name, "TXT", 60, string(text))
	}
	_, _ = io.WriteString(w, n.zone.String())
}

func (notes) Kind(r *http.Request) RequestKind {
	if r.Method == http.MethodPost {
		return Change
	}
	return Listing
}

func (notes) Problem(w http.ResponseWriter, status int) { http.Error(w, "a problem", status) }

// client makes requests as a program with the Internet's environment does.
func client(t *testing.T, i *Internet) *http.Client {
	t.Helper()
	proxy, file := "", ""
	for _, e := range i.Env() {
		if p, ok := strings.CutPrefix(e, "HTTPS_PROXY="); ok {
			proxy = p
		}
		if f, ok := strings.CutPrefix(e, "SSL_CERT_FILE="); ok {
			file = f
		}
	}
	at, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	transport := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func ask(t *testing.T, c *http.Client, method, body string) (status int, text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "https://api.host.example/records", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer reply.Body.Close()
	b, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string(b), err
}

func TestServer(t *testing.T) {
	internet, err := NewInternet(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer internet.Close()
	c := client(t, internet)
	if _, _, err := ask(t, c, http.MethodGet, ""); err == nil || len(internet.Lost()) != 1 {
		t.Errorf("a host that there is not: %v, %v", err, internet.Lost())
	}

	zone := NewZone("example.org.")
	server := NewServer(zone, notes{zone})
	internet.Route("api.host.example", server)
	f := server.Fixture()
	holds := func(n int) {
		t.Helper()
		if got := zone.Records("", "TXT"); len(got) != n {
			t.Errorf("the zone holds %d notes, want %d", len(got), n)
		}
	}
	if status, text, err := ask(t, c, http.MethodPost, "one"); status != http.StatusOK || err != nil || !strings.Contains(text, "one") {
		t.Fatalf("%d %q %v", status, text, err)
	}
	holds(1)

	f.LoseReply(t)
	if _, _, err := ask(t, c, http.MethodGet, ""); err != nil {
		t.Errorf("a request that changes nothing lost its reply: %v", err)
	}
	if _, _, err := ask(t, c, http.MethodPost, "two"); err == nil {
		t.Error("the reply is not lost")
	}
	holds(2)

	f.Meanwhile(t, func() { zone.Add(zone.Name, "TXT", 60, "somebody else's") })
	if _, _, err := ask(t, c, http.MethodPost, "three"); err != nil {
		t.Error(err)
	}
	holds(4)

	f.Fail(t, providertest.Unavailable, 1)
	if status, _, _ := ask(t, c, http.MethodPost, "four"); status != http.StatusOK {
		t.Errorf("status %d of the change that is spared", status)
	}
	if status, _, _ := ask(t, c, http.MethodPost, "five"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	holds(5)
	f.Fail(t, providertest.ReadOnlyToken, 0)
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodPost: http.StatusForbidden} {
		if status, _, _ := ask(t, c, method, ""); status != want {
			t.Errorf("%s with a read-only token: status %d", method, status)
		}
	}
	f.Fail(t, providertest.RateLimited, 0)
	for _, want := range []int{http.StatusTooManyRequests, http.StatusOK} {
		if status, _, _ := ask(t, c, http.MethodGet, ""); status != want {
			t.Errorf("status %d, want %d", status, want)
		}
	}
	f.Fail(t, providertest.WebPage, 0)
	if status, text, _ := ask(t, c, http.MethodGet, ""); status != http.StatusOK || !strings.HasPrefix(text, "<!DOCTYPE html>") {
		t.Errorf("%d %q", status, text)
	}
	for _, fault := range []providertest.Fault{providertest.Cut, providertest.Hangs} {
		f.Fail(t, fault, 0)
		if _, _, err := ask(t, c, http.MethodPost, "lost"); err == nil {
			t.Errorf("%s: no error", fault)
		}
	}
	holds(5)
	f.Fail(t, providertest.NoFault, 0)
	before := f.Listings()
	if _, _, err := ask(t, c, http.MethodGet, ""); err != nil || f.Listings() != before+1 || f.InFlight() < 1 {
		t.Errorf("%v, %d listings, %d at once", err, f.Listings()-before, f.InFlight())
	}
}

func TestZone(t *testing.T) {
	z := NewZone("example.org.")
	r := z.Add("_25._TCP.mx.example.org", "TLSA", 300, "3 1 1 AB")
	if r.Name != "_25._tcp.mx.example.org." || z.Relative(r.Name) != "_25._tcp.mx" || z.Relative(z.Name) != "" || z.Absolute("@") != z.Name || z.Absolute("mx") != "mx.example.org." {
		t.Errorf("%+v", r)
	}
	if !z.Update(r.ID, func(r *Record) { r.TTL = 60 }) {
		t.Error("the record is not there")
	}
	if got, ok := z.ByID(r.ID); !ok || got.TTL != 60 {
		t.Errorf("%+v, %v", got, ok)
	}
	z.Replace(r.Name, "TLSA", 60, "3 1 1 01", "3 1 1 02")
	if _, ok := z.ByID(r.ID); ok || len(z.Records(r.Name, "TLSA")) != 2 {
		t.Error("replaced, and yet there")
	}
	if n := z.Remove(func(r Record) bool { return r.Type == "TLSA" }); n != 2 {
		t.Errorf("%d removed", n)
	}
}

// TestInternetLeavesNothing: who keeps connections open does not keep it from ending.
func TestInternetLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	internet, err := NewInternet(dir)
	if err != nil {
		t.Fatal(err)
	}
	zone := NewZone("example.org.")
	internet.Route("api.host.example", NewServer(zone, notes{zone}))
	c := client(t, internet)
	if _, _, err := ask(t, c, http.MethodGet, ""); err != nil {
		t.Fatal(err)
	}
	if err := internet.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "internet.pem")); err != nil {
		t.Error(err)
	}
}
