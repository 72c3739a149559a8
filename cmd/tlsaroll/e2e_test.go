package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// The timing of the tests on real servers: RFC 6698, appendix A.4 to the letter,
// with the smallest floor. Ipub is then the TTL and two seconds.
const (
	labTTL   = 10 * time.Second
	labFloor = 2 * time.Second
)

// host is a mail host of the lab with tlsaroll on it: one lineage, mx1.
type host struct {
	*lab.Lab
	t      *testing.T
	config string
	now    func() time.Time
	ttl    time.Duration // of the lineage's records

	program string   // as which the daemon is started: this test binary, or a path
	env     []string // it has

	spoken spoken
}

// setting is what a test wants other than the usual.
type setting struct {
	state     string // directory below the lab's
	scheme    string
	host      string // of the smtp endpoint
	address   string // where to probe it
	endpoints []string
	ignore    string
	api       string // all settings of a provider that is not rfc2136, but its zone
	provider  string // address of the primary; "": the lab's
	key       string // settings for the provider's key
	zone      string // of the provider
	install   string
	reload    string
	check     string
	settle    string
	look      string
	poll      string
	retire    string
	resolver  string
	zones     string
	knownTTL  string
	timeout   string // of each command
	staged    string // where an ACME client leaves pairs
	top       string // further lines at the top of the file
}

func newHost(t *testing.T, o lab.Options, s setting) *host {
	t.Helper()
	o.Haste = *haste
	h := &host{Lab: lab.Start(t, o), t: t, now: time.Now, ttl: labTTL}
	t.Cleanup(h.checkSecrets)
	h.configure(s)
	return h
}

// haste is for figures: beside many other tests few handshakes a second have to do.
var haste = flag.Float64("haste", 1, "how many times as many handshakes the senders make in a second")

// configure writes the configuration anew; what is remembered stays.
func (h *host) configure(s setting) {
	h.t.Helper()
	or := func(a, b string) string {
		if a == "" {
			return b
		}
		return a
	}
	zone := or(s.zone, lab.Domain)
	if s.key == "" {
		key := h.Key(zone)
		s.key = "key: " + key.Name + ", secret-file: " + key.SecretFile
	}
	endpoint := fmt.Sprintf("{url: %q, address: [%s]}", "smtp://"+or(s.host, lab.Host), s.address)
	if s.address == "" {
		endpoint = "smtp://" + or(s.host, lab.Host)
	}
	text := fmt.Sprintf(`
state: %s
control: %s/control.sock
%s
resolver: %s
timing: {ttls: 1, floor: %s, retire: %s, quiet: 1s, look: %s, poll: %s, settle: %s}
zones: %s
providers:
  ns1: {zone: %s, %s}
lineages:
  mx1:
    scheme: %s
    known-ttl: %s
    ttl: %s
    endpoints: [%s]
    ignore: %s
    install: %s
    check: %s
    reload: %s
    timeout: %s
    %s
`, filepath.Join(h.Dir, or(s.state, "tlsaroll")), h.Dir, s.top, or(s.resolver, h.Resolver.String()), labFloor, or(s.retire, "0s"), or(s.look, "1s"), or(s.poll, "1s"), or(s.settle, "10s"), or(s.zones, "{example.org: {private: true}, example.net: {private: true}}"),
		zone, or(s.api, fmt.Sprintf("type: rfc2136, server: %q, %s", or(s.provider, h.Primary.String()), s.key)),
		or(s.scheme, "ee"), or(s.knownTTL, h.ttl.String()), h.ttl, strings.Join(append(s.endpoints, endpoint), ", "), or(s.ignore, "[]"),
		or(s.install, h.installs()), or(s.check, "[]"), or(s.reload, h.reloads()), or(s.timeout, "10s"), s.staged)
	h.config = filepath.Join(h.Dir, "tlsaroll.yaml")
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) installs() string {
	s := fmt.Sprintf("[{path: %s, content: [key, chain], mode: \"0600\"}", h.Postfix.Combined)
	if h.Dovecot != nil {
		s += fmt.Sprintf(", {dir: %s, mode: \"0640\"}", h.Dovecot.TLS)
	}
	return s + "]"
}

func (h *host) reloads() string {
	s := "[" + argv(h.Postfix.Reload)
	if h.Dovecot != nil {
		s += ", " + argv(h.Dovecot.Reload)
	}
	return s + "]"
}

// argv writes an argument list as the configuration has it.
func argv(args []string) string {
	b, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// output is a stream of the program; each line has the time at which it came.
type output struct {
	mu    sync.Mutex
	all   bytes.Buffer
	lines []line
}

type line struct {
	at   time.Time
	text string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for text := range strings.Lines(string(p)) {
		o.lines = append(o.lines, line{time.Now(), text})
	}
	return o.all.Write(p)
}

// first is when a line with some text came.
func (o *output) first(text string) (time.Time, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lines {
		if strings.Contains(l.text, text) {
			return l.at, true
		}
	}
	return time.Time{}, false
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// tlsaroll runs the program to its end.
func (h *host) tlsaroll(args ...string) (code int, out, errs *output) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Minute)
	defer cancel()
	out, errs = &output{}, &output{}
	code = run(ctx, append([]string{"-c", h.config}, args...), world{
		stdin: strings.NewReader(""), stdout: out, stderr: errs,
		lookupEnv: func(string) (string, bool) { return "", false }, now: h.now, hangups: hangups,
	})
	h.spoken.add(out.String())
	h.spoken.add(errs.String())
	return code, out, errs
}

// must runs the program and wants an exit code.
func (h *host) must(want int, args ...string) (out, errs *output) {
	h.t.Helper()
	code, out, errs := h.tlsaroll(args...)
	if code != want {
		h.t.Fatalf("tlsaroll %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
	return out, errs
}

// records are those that a server gives at an owner name.
func (h *host) records(owner string) []string {
	h.t.Helper()
	a, err := h.Query(h.t.Context(), h.Primary, lab.Question{Name: owner, Type: "TLSA"})
	if err != nil {
		h.t.Fatal(err)
	}
	return a.RDATA
}

// state is what status --json says of the lineage.
func (h *host) state() rollover.LineageStatus {
	h.t.Helper()
	out, _ := h.must(exitDone, "status", "--json")
	var s rollover.Status
	if err := json.Unmarshal([]byte(out.String()), &s); err != nil {
		h.t.Fatalf("status --json: %v\n%s", err, out)
	}
	return s.Lineages[0]
}

func leafID(p *lab.Pair) string {
	sum := sha256.Sum256(p.Leaf().Raw)
	return hex.EncodeToString(sum[:])
}
