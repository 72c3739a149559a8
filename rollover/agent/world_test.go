package agent

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A world is an unsigned zone on two servers, a resolver, mail servers and this
// host's disk. It lives in a bubble of package synctest, by the bubble's clock.
type world struct {
	t      testing.TB
	dir    string
	zone   *memory.Zone
	dns    names
	ca     *ca
	config Config
	log    *logs

	mu       sync.Mutex
	services map[string]*service // by address
	paths    map[string]string   // by lineage: the file that its servers read
	failing  map[string]int      // by command: how often it fails from now on
	commands []string
	asked    map[string]int
	slow     map[netip.AddrPort]time.Duration
	onAsk    func(netip.AddrPort, dns.Question)
	hint     func(certwatch.Files)  // nil: nobody watches files
	chains   map[string]*tlsa.Chain // by their octets
	serving  sync.WaitGroup
}

// logs collects what is logged.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.String(), text)
}

const (
	recordTTL = time.Minute
	// ipub is how long a version with the record TTL may be held.
	ipub = recordTTL + 10*time.Second
)

// inWorld runs a test in a world of its own.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dir := t.TempDir() // of the disk, which is no part of the bubble
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.serving.Wait()
		test(t, w)
	})
}

func newWorld(t testing.TB, dir string) *world {
	zone, err := memory.New(memory.Options{Name: "example.org", Primary: "ns1", Secondaries: []string{"ns2"}, Now: time.Now, NegativeTTL: recordTTL})
	if err != nil {
		t.Fatal(err)
	}
	zone.Follow("ns2", 2*time.Second)
	w := &world{t: t, dir: dir, zone: zone, ca: newCA(t), log: &logs{}, services: map[string]*service{}, paths: map[string]string{}, failing: map[string]int{},
		asked: map[string]int{}, slow: map[netip.AddrPort]time.Duration{}, chains: map[string]*tlsa.Chain{}}
	w.dns = names{zone: zone, servers: map[netip.AddrPort]string{ns1At: "ns1", ns2At: "ns2"}, aliases: map[string]string{}, texts: map[string]string{},
		hosts: map[string][]netip.Addr{"ns1.example.org.": {ns1At.Addr()}, "ns2.example.org.": {ns2At.Addr()}}}
	begun := time.Now()
	w.config = Config{
		State: filepath.Join(dir, "state"), Resolver: resolverAt,
		Timing:    rollover.Timing{TTLs: 1, Floor: 10 * time.Second, UnknownTTL: time.Minute, Retire: 30 * time.Second, Settle: 20 * time.Second, Look: 5 * time.Minute, Poll: time.Minute},
		Zones:     map[string]Zone{"example.org.": {Private: true, AllowInsecure: true}},
		Providers: []Provider{{Name: "ns1", Zone: "example.org.", Provider: zone}},
		Clock:     Clock{Wall: time.Now, Boot: func() time.Duration { return time.Since(begun) }, BootID: "a boot", Synchronised: func() bool { return true }},
		Log:       slog.New(slog.NewTextHandler(w.log, nil)),
		Exchange:  w.exchange, Dial: w.dial, Run: w.run, Watch: w.watch, Local: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.25")} },
		FetchPolicy: func(context.Context, string) (string, error) { t.Error("a policy was fetched"); return "", nil },
	}
	return w
}

// ahead sets the wall clock, as certificates and agents to come see it.
func (w *world) ahead(d time.Duration) {
	w.config.Clock.Wall = func() time.Time { return time.Now().Add(d) }
	w.ca.ahead = d
}

func owner25(host string) tlsa.Owner { return tlsa.Owner("_25._tcp." + host + ".") }

// lineage adds a lineage NAME with an endpoint at NAME.example.org, whose server
// reads one file, and the server at some addresses.
func (w *world) lineage(name string, at ...string) *Lineage {
	host := name + ".example.org"
	if len(at) == 0 {
		at = []string{"192.0.2.25"}
	}
	l := Lineage{Name: name, Policy: rollover.LineagePolicy{Scheme: rollover.Scheme{EE: true}, TA: rollover.Intermediate, TTL: recordTTL, Deadline: rollover.DeadlineAuto,
		Endpoints: []rollover.Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: owner25(host)}}},
		Staged:  certwatch.Files{Cert: filepath.Join(w.dir, name+".crt"), Key: filepath.Join(w.dir, name+".key")},
		Install: []Install{{Path: filepath.Join(w.dir, name+".pem"), Content: []string{"key", "chain"}}},
		Reload:  [][]string{{"reload", name}}, Timeout: time.Minute}
	w.paths[name] = l.Install[0].Path
	for _, address := range at {
		ip := netip.MustParseAddr(address)
		w.dns.hosts[host+"."] = append(w.dns.hosts[host+"."], ip)
		w.services[netip.AddrPortFrom(ip, 25).String()] = &service{path: l.Install[0].Path}
	}
	w.config.Lineages = append(w.config.Lineages, l)
	return &w.config.Lineages[len(w.config.Lineages)-1]
}

// write puts a file on the disk.
func (w *world) write(path string, text []byte) {
	w.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// serve installs a pair for a lineage, has its servers present it, and publishes
// its record.
func (w *world) serve(name string, p certwatch.Pair) {
	w.t.Helper()
	w.write(w.paths[name], slices.Concat(p.Key.PEM(), p.ChainPEM()))
	for _, s := range w.services {
		if s.path == w.paths[name] {
			if err := s.reload(); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.publish(owner25(name+".example.org"), record(w.t, p))
}

// publish puts records into the zone beside those that stand, by hand, everywhere.
func (w *world) publish(owner tlsa.Owner, records ...tlsa.Association) {
	before, _ := w.zone.Answer("ns1", owner)
	w.zone.Set(owner, tlsa.NewRRset(recordTTL, append(before.RRset.Associations, records...)...))
	w.zone.Transfer("ns2")
}

// stage leaves a pair where the ACME client does.
func (w *world) stage(name string, p certwatch.Pair) {
	w.t.Helper()
	for _, l := range w.config.Lineages {
		if l.Name == name {
			w.write(l.Staged.Cert, p.ChainPEM())
			w.write(l.Staged.Key, p.Key.PEM())
		}
	}
}

// watch stands for inotify, whose events do not come in bubbles: files change in
// silence unless a test says that one did.
func (w *world) watch(_ context.Context, _ []certwatch.Files, changed func(certwatch.Files), _ *slog.Logger) (wait func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hint = changed
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hint = nil
	}
}

// renew leaves a pair where the ACME client does, and has that noticed.
func (w *world) renew(name string, p certwatch.Pair) {
	w.t.Helper()
	w.stage(name, p)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.config.Lineages {
		if l.Name == name {
			w.hint(l.Staged)
		}
	}
}

// open opens an agent that is closed with the test.
func (w *world) open() *Agent {
	w.t.Helper()
	a, err := Open(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) close(a *Agent) {
	w.t.Helper()
	if err := a.Close(); err != nil {
		w.t.Error(err)
	}
}

// goOn runs the agent until something holds, for no longer than limit.
func (w *world) goOn(a *Agent, limit time.Duration, until func(Report) bool) Report {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	var last Report
	done := false
	err := a.Run(ctx, "", func(r Report) bool {
		last = r
		done = until(r)
		return done
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if !done {
		w.t.Fatalf("not after %s; %s", limit, w.story(last))
	}
	return last
}

// story is what is known of the group of a report, for a failed test.
func (w *world) story(r Report) string {
	var b strings.Builder
	for _, s := range rollover.Describe(r.State, r.Policy, r.At) {
		fmt.Fprintf(&b, "%s\n", s.Explain(r.At))
		for _, e := range s.Endpoints {
			fmt.Fprintf(&b, "%s\n", e.Explain())
		}
	}
	fmt.Fprintf(&b, "commands: %q\n%s", w.commands, w.log.String())
	return b.String()
}

func isSteady(name string, live certwatch.Pair) func(Report) bool {
	return func(r Report) bool {
		l := r.State.Lineages[name]
		return l.Live == live.ID() && l.Phase == rollover.Steady && l.Swapping == nil && !r.Changed
	}
}

// stands are the records at an owner name in the provider's copy.
func (w *world) stands(owner tlsa.Owner) []tlsa.Association {
	a, _ := w.zone.Answer("ns1", owner)
	return a.RRset.Associations
}

// presents is the leaf that the service at an address presents, "" for none.
func (w *world) presents(address string) string {
	w.t.Helper()
	s := w.services[address]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cert == nil {
		return ""
	}
	chain, err := w.chain(s.cert.Certificate)
	if err != nil {
		w.t.Fatal(err)
	}
	return chain.LeafID()
}

// chain is one that is presented. Senders ask each second for hours, and to
// verify the signatures again is most of what that takes.
func (w *world) chain(ders [][]byte) (*tlsa.Chain, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	octets := string(slices.Concat(ders...))
	if known := w.chains[octets]; known != nil {
		return known, nil
	}
	chain, err := tlsa.ParseChain(ders...)
	if err == nil {
		w.chains[octets] = chain
	}
	return chain, err
}

// files are the disk's, with their content.
func (w *world) files() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			out[path], err = os.Readlink(path)
		case d.IsDir():
			out[path] = "directory"
		default:
			var b []byte
			b, err = os.ReadFile(path)
			out[path] = string(b)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}
