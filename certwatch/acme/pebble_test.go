package acme

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// pebble is a CA of our own, a real program, with a DNS server that it believes.
type pebble struct {
	directory  string // URL
	host       string // host:port of it
	management string // URL
	roots      *x509.CertPool
	certFile   []byte // its TLS certificate and key, for the proxy
	keyFile    []byte
	httpPort   int // where it looks for http-01
	tlsPort    int // and tls-alpn-01
	dns        *nameserver
	log        *lockedBuffer
}

// The profiles that it offers. One that was not asked for would be drawn by lot.
const (
	classic    = "classic"
	shortlived = "shortlived"
)

const (
	externalID  = "customer-1"
	externalKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" // of a CA that lives as long as a test
)

// A tweak changes how it is started.
type tweak func(config map[string]any, env *[]string)

// wantsExternal makes it refuse accounts that are not bound to one of its customers'.
func wantsExternal(config map[string]any, _ *[]string) {
	config["externalAccountBindingRequired"] = true
	config["externalAccountMACKeys"] = map[string]string{externalID: externalKey}
}

// variable sets an environment variable that it reads.
func variable(name, value string) tweak {
	return func(_ map[string]any, env *[]string) { *env = append(*env, name+"="+value) }
}

// program finds Pebble where CI puts it, or in PATH; without it the test is left out,
// aloud, and with TLSAROLL_E2E=require that is a failure.
func program(t *testing.T) string {
	t.Helper()
	const name, version = "pebble", "v2.10.1"
	cache := os.Getenv("CI_CACHE")
	if cache == "" {
		if user, err := os.UserHomeDir(); err == nil {
			cache = filepath.Join(user, ".cache", "tlsaroll-ci")
		}
		if xdg := os.Getenv("XDG_CACHE_HOME"); xdg != "" {
			cache = filepath.Join(xdg, "tlsaroll-ci")
		}
	}
	if path, err := exec.LookPath(filepath.Join(cache, name+"-"+version, name)); err == nil {
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	const how = "go install github.com/letsencrypt/pebble/v2/cmd/...@" + version
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("no pebble in %s or PATH, and TLSAROLL_E2E=require (hint: %s)", cache, how)
	}
	t.Skipf("LEFT OUT, a test with a real CA: no pebble in %s or PATH (hint: %s)", cache, how)
	return ""
}

func startPebble(t *testing.T, tweaks ...tweak) *pebble {
	t.Helper()
	path := program(t)
	dir := t.TempDir()
	p := &pebble{log: new(lockedBuffer), dns: startNameserver(t), httpPort: freePort(t), tlsPort: freePort(t)}
	p.certFile, p.keyFile, p.roots = tlsPair(t)
	write(t, filepath.Join(dir, "cert.pem"), p.certFile)
	write(t, filepath.Join(dir, "key.pem"), p.keyFile)
	p.host = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	p.directory = "https://" + p.host + "/dir"
	management := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	p.management = "https://" + management
	config := map[string]any{
		"listenAddress": p.host, "managementListenAddress": management,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": p.httpPort, "tlsPort": p.tlsPort, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 0, "order": 0},
		"profiles": map[string]any{
			classic:    map[string]any{"description": "90 days", "validityPeriod": 7776000},
			shortlived: map[string]any{"description": "6 days", "validityPeriod": 576000},
		},
		"domainBlocklist": []string{"blocked.example"}, // no more labels than any name here, or it panics
	}
	env := []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0", "PATH=/nowhere"}
	for _, change := range tweaks {
		change(config, &env)
	}
	text, err := json.Marshal(map[string]any{"pebble": config})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pebble.json"), text)
	cmd := exec.Command(path, "-config", filepath.Join(dir, "pebble.json"), "-dnsserver", p.dns.address)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-gone
		if t.Failed() {
			t.Logf("pebble says:\n%s", p.log)
		}
	})
	client := p.client(t)
	for range 200 {
		if resp, err := client.Get(p.directory); err == nil {
			resp.Body.Close()
			return p
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("pebble does not come up:\n%s", p.log)
	return nil
}

func (p *pebble) client(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}
}

// setRenewal has the CA answer for a certificate's renewal with this text, whatever it is.
func (p *pebble) setRenewal(t *testing.T, leaf *x509.Certificate, text string) {
	t.Helper()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	body, err := json.Marshal(map[string]string{"Certificate": string(cert), "ARIResponse": text})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.client(t).Post(p.management+"/set-renewal-info/", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("set-renewal-info: %s: %s", resp.Status, said)
	}
}

// ca is how the CA is configured for dns-01.
func (p *pebble) ca() CA {
	return CA{Directory: p.directory, Email: "postmaster@example.org", Challenge: DNS01, Profile: classic, Roots: p.roots}
}

// issuer is one of a lineage with these CAs; what it logs is kept.
func (p *pebble) issuer(t *testing.T, cas ...CA) (*Issuer, *lockedBuffer) {
	t.Helper()
	return newIssuer(t, Config{Dir: filepath.Join(t.TempDir(), "acme"), Lineage: "mx1", CAs: cas, DNS: p.dns, Propagation: 2 * time.Second})
}

func newIssuer(t *testing.T, cfg Config) (*Issuer, *lockedBuffer) {
	t.Helper()
	log := new(lockedBuffer)
	cfg.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	i, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return i, log
}

func newKey(t *testing.T, kind certwatch.KeyType) certwatch.Key {
	t.Helper()
	key, err := kind.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRequest(t *testing.T) certwatch.Request {
	return certwatch.Request{Names: []string{"mx1.example.org"}, Key: newKey(t, certwatch.EC256)}
}

// issue wants a certificate that is what was ordered.
func issue(t *testing.T, i *Issuer, r certwatch.Request) certwatch.Pair {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pair, err := i.Issue(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// lockedBuffer is written by several at once.
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

// freePort finds a port that is free for TCP and UDP on loopback.
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

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tlsPair makes a certificate for 127.0.0.1 that vouches for itself.
func tlsPair(t *testing.T) (cert, key []byte, roots *x509.CertPool) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a CA's web server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return cert, key, roots
}

// hides fails the test where one of the texts holds something that nobody may see.
func hides(t *testing.T, where, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); secret != "" && strings.Contains(text, secret) {
			t.Errorf("%s shows a secret", where)
		}
	}
}
