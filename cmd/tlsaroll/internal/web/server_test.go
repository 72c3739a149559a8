package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// running is a server on loopback.
type running struct {
	*Server
	url  string
	log  *bytes.Buffer
	stop func() error
}

func serve(t *testing.T, cfg Config) *running {
	t.Helper()
	r := &running{log: &bytes.Buffer{}}
	cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	cfg.Log = slog.New(slog.NewTextHandler(r.log, nil))
	if cfg.Metrics == nil {
		cfg.Metrics = metricsOf(site())
	}
	if cfg.Alive == nil {
		cfg.Alive = func(context.Context) error { return nil }
	}
	if cfg.Journal == nil {
		cfg.Journal = func() error { return nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	var err error
	if r.Server, err = Listen(cfg); err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + r.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// client makes a connection for each request, so that none is left over.
func client(secure *tls.Config) *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}}
}

// ask makes a request; edit may be nil.
func (r *running) ask(t *testing.T, method, path string, edit func(*http.Request)) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(request)
	}
	reply, err := client(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply, string(body)
}

func TestPaths(t *testing.T) {
	r := serve(t, Config{})
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "alive\n"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/readyz", 200, "ready\n"},
		{"HEAD", "/metrics", 200, ""},
		{"POST", "/metrics", 405, "Method Not Allowed\n"},
		{"PUT", "/healthz", 405, "Method Not Allowed\n"},
		{"DELETE", "/readyz", 405, "Method Not Allowed\n"},
		{"POST", "/", 405, "Method Not Allowed\n"},
		{"PUT", "/lineage/mx1", 405, "Method Not Allowed\n"},
		{"DELETE", "/events", 405, "Method Not Allowed\n"},
		{"POST", "/nothing", 405, "Method Not Allowed\n"},
	} {
		reply, body := r.ask(t, test.method, test.path, nil)
		if reply.StatusCode != test.status || body != test.body || reply.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %q %v", test.method, test.path, reply.StatusCode, body, reply.Header)
		}
		if allow := reply.Header.Get("Allow"); test.status == 405 && allow != "GET, HEAD" {
			t.Errorf("%s %s: allowed is %q", test.method, test.path, allow)
		}
	}
}

// TestScrape reads what Prometheus would.
func TestScrape(t *testing.T) {
	m := metricsOf(site())
	m.Configure([]string{"mx1"}, []string{"ns1"})
	r := serve(t, Config{Metrics: m})
	want := "# HELP tlsaroll_ready_timestamp_seconds When no cache can lack the successor's records any more, so that it may go live; absent while there is no successor or it cannot be told.\n" +
		"# TYPE tlsaroll_ready_timestamp_seconds gauge\ntlsaroll_ready_timestamp_seconds{lineage=\"mx1\"} 1.77237e+09\n"
	reply, body := r.ask(t, "GET", "/metrics", func(q *http.Request) { q.Header.Set("Accept-Encoding", "gzip, zstd") })
	if reply.Header.Get("Content-Encoding") != "" || !strings.HasPrefix(reply.Header.Get("Content-Type"), "text/plain") || !strings.Contains(body, want) {
		t.Errorf("%v %s", reply.Header, body)
	}
	for _, name := range []string{"go_goroutines ", "process_resident_memory_bytes ", "tlsaroll_build_info{"} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
	if families := strings.Count(body, "# TYPE "); families > 60 {
		t.Errorf("%d families", families)
	}
	if err := testutil.ScrapeAndCompare(r.url+"/metrics", strings.NewReader(want), "tlsaroll_ready_timestamp_seconds"); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections() // of ScrapeAndCompare
}

func TestHealth(t *testing.T) {
	var alive, journal error
	m := metricsOf(nil)
	m.Configure([]string{"mx2", "mx1"}, nil)
	r := serve(t, Config{Metrics: m,
		Alive: func(ctx context.Context) error {
			if _, limited := ctx.Deadline(); !limited {
				return errors.New("waits for ever")
			}
			return alive
		},
		Journal: func() error { return journal }})
	expect := func(path string, status int, body string) {
		t.Helper()
		if reply, got := r.ask(t, "GET", path, nil); reply.StatusCode != status || got != body {
			t.Errorf("%s: %d %q, want %d %q", path, reply.StatusCode, got, status, body)
		}
	}
	expect("/healthz", 200, "alive\n")
	expect("/readyz", 503, "no pass yet: mx1, mx2\n")
	m.Passed([]string{"mx1"}, noon)
	expect("/readyz", 503, "no pass yet: mx2\n")
	m.Passed([]string{"mx2"}, noon)
	expect("/readyz", 200, "ready\n")
	alive, journal = errors.New("the scheduler\ndoes not answer"), errors.New("closed")
	expect("/healthz", 503, "the scheduler does not answer\n")
	expect("/readyz", 503, "closed\n")
}

func TestGuard(t *testing.T) {
	basic := config.Web{User: "admin", Password: config.NewSecret([]byte("geheim:ü"))}
	bearer := config.Web{Token: config.NewSecret([]byte("geheim"))}
	const yes, no = http.StatusOK, http.StatusUnauthorized
	for name, test := range map[string]struct {
		web    config.Web
		edit   func(*http.Request)
		status int
	}{
		"open":                       {config.Web{}, nil, yes},
		"password":                   {basic, func(r *http.Request) { r.SetBasicAuth("admin", "geheim:ü") }, yes},
		"no password":                {basic, nil, no},
		"an empty one":               {basic, func(r *http.Request) { r.SetBasicAuth("admin", "") }, no},
		"half of it":                 {basic, func(r *http.Request) { r.SetBasicAuth("admin", "geheim") }, no},
		"another user":               {basic, func(r *http.Request) { r.SetBasicAuth("root", "geheim:ü") }, no},
		"no user":                    {basic, func(r *http.Request) { r.SetBasicAuth("", "geheim:ü") }, no},
		"a token for a password":     {basic, func(r *http.Request) { r.Header.Set("Authorization", "Bearer geheim:ü") }, no},
		"no base64":                  {basic, func(r *http.Request) { r.Header.Set("Authorization", "Basic geheim") }, no},
		"token":                      {bearer, func(r *http.Request) { r.Header.Set("Authorization", "Bearer geheim") }, yes},
		"token, another case":        {bearer, func(r *http.Request) { r.Header.Set("Authorization", "bearer  geheim") }, yes},
		"no token":                   {bearer, nil, no},
		"an empty token":             {bearer, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, no},
		"another token":              {bearer, func(r *http.Request) { r.Header.Set("Authorization", "Bearer geheim2") }, no},
		"a token without its scheme": {bearer, func(r *http.Request) { r.Header.Set("Authorization", "geheim") }, no},
		"a password for a token":     {bearer, func(r *http.Request) { r.SetBasicAuth("", "geheim") }, no},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, Config{Web: test.web})
			for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
				reply, body := r.ask(t, "GET", path, test.edit)
				challenged := reply.Header.Get("WWW-Authenticate") != ""
				if reply.StatusCode != test.status || challenged != (test.status == no) || test.status == no && body != "who are you?\n" {
					t.Errorf("%s: %d %q", path, reply.StatusCode, body)
				}
			}
			if reply, _ := r.ask(t, "POST", "/nothing", nil); test.status == no && reply.StatusCode != no {
				t.Errorf("a stranger learns %d", reply.StatusCode)
			}
		})
	}
}

// TestStrangers: who is not known learns nothing by any method, and keeps none of the few
// connections.
func TestStrangers(t *testing.T) {
	r := serve(t, Config{Web: config.Web{Token: config.NewSecret([]byte("geheim"))}})
	for _, line := range []string{"GET /healthz", "OPTIONS *", "OPTIONS /", "CONNECT localhost:80"} {
		conn, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, line+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn) // to its end
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") {
			t.Errorf("%s: %.40q, %v", line, answer, err)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		"0.0.0.0:0":             "listen 0.0.0.0:0: everyone who can reach it could read the status (hint: listen on 127.0.0.1, or configure web: auth)",
		"192.0.2.1:1":           "listen 192.0.2.1:1: everyone who can reach it could read the status (hint: listen on 127.0.0.1, or configure web: auth)",
		taken.Addr().String():   "listen " + taken.Addr().String() + ": address already in use (hint: another process has it: ss -ltnp shows which)",
		"[::ffff:127.0.0.1]:99": "",
	} {
		s, err := Listen(Config{Listen: netip.MustParseAddrPort(address), Metrics: metricsOf(nil), Log: slog.New(slog.DiscardHandler)})
		switch {
		case want == "" && err == nil:
			s.listener.Close()
		case want == "": // not root
			if !strings.Contains(err.Error(), "permission denied") {
				t.Error(err)
			}
		case err == nil || err.Error() != want:
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	s, err := Listen(Config{Listen: netip.MustParseAddrPort("192.0.2.1:9253"), Web: config.Web{Token: config.NewSecret([]byte("x"))}, Metrics: metricsOf(nil), Log: slog.New(slog.DiscardHandler)})
	if want := "listen 192.0.2.1:9253: cannot assign requested address (hint: no interface of this host has that address: ip addr lists them)"; err == nil || err.Error() != want {
		t.Errorf("%v, %v", s, err)
	}
}

// TestStopWhileAScrapeIsOpen ends the server while the status takes its time: the
// scrape that is done within the moment it has is answered.
func TestStopWhileAScrapeIsOpen(t *testing.T) {
	begun, let := make(chan bool), make(chan bool)
	m := NewMetrics(Sources{Version: "v1.2.3", Warnings: func() []rollover.Warning { return nil }, Status: func() []rollover.LineageStatus {
		begun <- true
		<-let
		return site()
	}})
	r := serve(t, Config{Metrics: m})
	answered := make(chan string)
	go func() {
		reply, err := client(nil).Get(r.url + "/metrics")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer reply.Body.Close()
		body, _ := io.ReadAll(reply.Body)
		answered <- string(body)
	}()
	<-begun
	stopped := make(chan error)
	go func() { stopped <- r.stop() }()
	for {
		c, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			break // it listens no more
		}
		c.Close()
	}
	let <- true
	if body := <-answered; !strings.Contains(body, "tlsaroll_lineage_phase") {
		t.Errorf("answered %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestOneTooManyScrape(t *testing.T) {
	begun, let := make(chan bool, scrapes), make(chan bool)
	m := NewMetrics(Sources{Version: "v1.2.3", Warnings: func() []rollover.Warning { return nil }, Status: func() []rollover.LineageStatus {
		begun <- true
		<-let
		return nil
	}})
	r := serve(t, Config{Metrics: m})
	answered := make(chan int, scrapes)
	for range scrapes {
		go func() {
			reply, err := client(nil).Get(r.url + "/metrics")
			if err != nil {
				t.Error(err)
				answered <- 0
				return
			}
			reply.Body.Close()
			answered <- reply.StatusCode
		}()
		<-begun
	}
	if reply, _ := r.ask(t, "GET", "/metrics", nil); reply.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", reply.StatusCode)
	}
	close(let)
	for range scrapes {
		if status := <-answered; status != http.StatusOK {
			t.Errorf("answered %d", status)
		}
	}
}

func TestTLSFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	files := config.Web{Cert: dir + "/cert.pem", Key: dir + "/key.pem"}
	if _, err := Listen(Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Web: files, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.HasPrefix(err.Error(), "web: stat "+files.Cert) {
		t.Errorf("without its files: %v", err)
	}
	first := issue(t, files, 1)
	r := serve(t, Config{Web: files})
	roots := x509.NewCertPool()
	roots.AddCert(first)
	shown := func() *x509.Certificate {
		t.Helper()
		c, err := tls.Dial("tcp", r.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0]
	}
	reply, err := client(&tls.Config{RootCAs: roots}).Get("https://" + r.Addr().String() + "/healthz")
	if err != nil || reply.StatusCode != http.StatusOK || reply.TLS == nil {
		t.Fatal(reply, err)
	}
	reply.Body.Close()
	if reply, err := client(nil).Get("http://" + r.Addr().String() + "/healthz"); err != nil || reply.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %v, %v", reply, err)
	} else {
		reply.Body.Close()
	}
	if c, err := tls.Dial("tcp", r.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("speaks TLS 1.1")
	}

	second := issue(t, files, 2)
	if !shown().Equal(second) {
		t.Error("the new certificate is not shown")
	}
	write(t, files.Cert, "half a certif")
	for range 2 {
		if !shown().Equal(second) {
			t.Error("another certificate is shown")
		}
	}
	third := issue(t, files, 3)
	if !shown().Equal(third) {
		t.Error("the third certificate is not shown")
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	want := "level=ERROR msg=\"the certificate of the status page cannot be used: the one before stays\" cert=" + files.Cert + " key=" + files.Key +
		" err=\"tls: failed to find any PEM data in certificate input\"\n"
	_, line, _ := strings.Cut(r.log.String(), " ")
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}
