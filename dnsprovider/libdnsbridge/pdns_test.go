package libdnsbridge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// pdns is a PowerDNS of our own, with its HTTP API behind a server that fails as the suite
// wants it to.
type pdns struct {
	zone   string
	api    string // its own address
	dns    string
	url    string // of the server before it
	server *fakeapi.Server
	log    *lockedBuffer
}

const pdnsKey = "pdns-key-0123456789"

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// needs finds a program, or leaves the test out, aloud; with TLSAROLL_E2E=require a missing
// one is a failure.
func needs(t *testing.T, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("%s is not installed, and TLSAROLL_E2E=require", program)
	}
	t.Skipf("LEFT OUT: %s is not installed", program)
	return ""
}

const pdnsSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

// startPDNS starts PowerDNS with one signed zone.
func startPDNS(t *testing.T, zone string) *pdns {
	t.Helper()
	program, sqlite, util := needs(t, "pdns_server"), needs(t, "sqlite3"), needs(t, "pdnsutil")
	dir := t.TempDir()
	schema, err := os.ReadFile(pdnsSchema)
	if err != nil {
		needs(t, "pdns-backend-sqlite3")
		t.Fatal(err)
	}
	run := func(stdin string, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args, err, out)
		}
	}
	run(string(schema), sqlite, filepath.Join(dir, "pdns.sqlite3"))
	dnsPort, apiPort := freePort(t), freePort(t)
	conf := fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%[1]s/pdns.sqlite3
gsqlite3-dnssec=yes
socket-dir=%[1]s
local-address=127.0.0.1
local-port=%[2]d
guardian=no
daemon=no
setuid=0
setgid=0
disable-syslog=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
receiver-threads=1
distributor-threads=1
api=yes
api-key=%[4]s
webserver=yes
webserver-address=127.0.0.1
webserver-port=%[3]d
webserver-allow-from=127.0.0.0/8
version-string=anonymous
`, dir, dnsPort, apiPort, pdnsKey)
	conf = strings.ReplaceAll(conf, "setuid=0\nsetgid=0\n", "")
	if err := os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	bare := strings.TrimSuffix(zone, ".")
	run("", util, "--config-dir="+dir, "create-zone", bare, "ns1."+bare)
	run("", util, "--config-dir="+dir, "secure-zone", bare)
	p := &pdns{zone: zone, api: fmt.Sprintf("http://127.0.0.1:%d", apiPort), dns: fmt.Sprintf("127.0.0.1:%d", dnsPort), log: new(lockedBuffer)}
	cmd := exec.Command(program, "--config-dir="+dir)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-gone
		}
	})
	p.wait(t)
	p.stand(t)
	return p
}

// stand puts the server that fails before the API.
func (p *pdns) stand(t *testing.T) {
	t.Helper()
	at, err := url.Parse(p.api)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }, Transport: &http.Transport{DisableKeepAlives: true}}
	p.server = fakeapi.NewServer(fakeapi.NewZone(p.zone), pdnsAPI{proxy})
	front := httptest.NewServer(p.server)
	t.Cleanup(func() { front.CloseClientConnections(); front.Close(); http.DefaultClient.CloseIdleConnections() })
	p.url = front.URL
}

// pdnsAPI is the API of the real server.
type pdnsAPI struct{ *httputil.ReverseProxy }

func (pdnsAPI) Kind(r *http.Request) fakeapi.RequestKind {
	switch {
	case r.Method == http.MethodPatch:
		return fakeapi.Change
	case strings.Contains(r.URL.Path, "/zones/"):
		return fakeapi.Listing
	}
	return fakeapi.Other
}

// Problem is what the server says, as in
// https://doc.powerdns.com/authoritative/http-api/index.html#errors; a wrong key it turns
// down in plain text.
func (pdnsAPI) Problem(w http.ResponseWriter, status int) {
	if status == http.StatusUnauthorized {
		http.Error(w, "Unauthorized", status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error": %q}`, http.StatusText(status))
}

func (p *pdns) wait(t *testing.T) {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: time.Second}
	for range 200 {
		m := new(dns.Msg).SetQuestion(p.zone, dns.TypeSOA)
		if reply, _, err := client.Exchange(m, p.dns); err == nil && reply.Authoritative && len(reply.Answer) > 0 {
			if conn, err := net.Dial("tcp", strings.TrimPrefix(p.api, "http://")); err == nil {
				conn.Close()
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not come up:\n%s", p.log)
}

// put edits the zone past the provider. No records removes those that stand.
func (p *pdns) put(t *testing.T, name, rrtype string, ttl int, data ...string) {
	t.Helper()
	type content struct {
		Content  string `json:"content"`
		Disabled bool   `json:"disabled"`
	}
	type rrset struct {
		Name       string    `json:"name"`
		Type       string    `json:"type"`
		TTL        int       `json:"ttl"`
		ChangeType string    `json:"changetype"`
		Records    []content `json:"records"`
	}
	change := rrset{Name: name, Type: rrtype, TTL: ttl, ChangeType: "REPLACE", Records: []content{}}
	for _, d := range data {
		change.Records = append(change.Records, content{Content: d})
	}
	body, err := json.Marshal(map[string][]rrset{"rrsets": {change}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, p.api+"/api/v1/servers/localhost/zones/"+p.zone, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", pdnsKey)
	reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if text, _ := io.ReadAll(reply.Body); reply.StatusCode != http.StatusNoContent {
		t.Fatalf("editing %s: %d %s", name, reply.StatusCode, text)
	}
}

// ask asks the server over DNS.
func (p *pdns) ask(t *testing.T, name string, rrtype uint16) []dns.RR {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, rrtype), p.dns)
	if err != nil {
		t.Fatal(err)
	}
	var out []dns.RR
	for _, rr := range reply.Answer {
		if rr.Header().Rrtype == rrtype && dns.CanonicalName(rr.Header().Name) == dns.CanonicalName(name) {
			out = append(out, rr)
		}
	}
	return out
}

func (p *pdns) stands(t *testing.T, owner tlsa.Owner) tlsa.RRset {
	t.Helper()
	rrset := tlsa.RRset{}
	for _, rr := range p.ask(t, string(owner), dns.TypeTLSA) {
		r := rr.(*dns.TLSA)
		rrset = rrset.With(tlsa.Association{
			Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
			Data:   strings.ToLower(r.Certificate),
		})
		rrset.TTL = time.Duration(r.Hdr.Ttl) * time.Second
	}
	return rrset
}

func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := tcp.Addr().(*net.TCPAddr).Port
		udp, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		tcp.Close()
		if err != nil {
			continue
		}
		udp.Close()
		return port
	}
	t.Fatal("no free port")
	return 0
}
