package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// hostClock is the host's, without what a restart would need.
func hostClock() agent.Clock {
	begun := time.Now()
	return agent.Clock{Wall: time.Now, Boot: func() time.Duration { return time.Since(begun) }}
}

func start(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.Context(), hostClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// strict looks at the world as the agent does: it believes nothing that it has
// not verified, by code that the servers here share nothing with.
func strict(t *testing.T, w *world) *lookup.Pass {
	t.Helper()
	c, err := lookup.New(lookup.Config{Resolver: resolverAt, Now: time.Now, Exchange: w.network.exchange})
	if err != nil {
		t.Fatal(err)
	}
	return c.NewPass(nil)
}

// verified wants every server to give an owner name with a proof.
func verified(t *testing.T, v lookup.View, want tlsa.RRset) {
	t.Helper()
	if v.Err != "" || v.Security != lookup.Secure || len(v.Findings) > 0 || len(v.Servers) != 2 {
		t.Fatalf("%s: %s %q %v, %d servers", v.Owner, v.Security, v.Err, v.Findings, len(v.Servers))
	}
	for _, s := range v.Servers {
		if s.Err != "" || s.Proof != lookup.Verified || !s.RRset.Same(want) || s.RRset.TTL != recordTTL {
			t.Errorf("%s at %s: %q, %s, %v for %s", v.Owner, s.Name, s.Err, s.Proof, s.RRset, s.RRset.TTL)
		}
	}
}

func TestZoneIsSignedOnBothServers(t *testing.T) {
	w := start(t)
	verified(t, strict(t, w).Owner(t.Context(), owner), tlsa.NewRRset(recordTTL, w.certs[0].record, foreign))
}

// TestDenialsAreProved: NODATA, NXDOMAIN and empty non-terminals, before, between
// and behind the names that there are.
func TestDenialsAreProved(t *testing.T) {
	w := start(t)
	pass := strict(t, w)
	for _, name := range []string{
		"_993._tcp.mx1.example.org.", "_1._tcp.mx1.example.org.", "_tcp.mx1.example.org.", "x._25._tcp.mx1.example.org.",
		"mx1.example.org.", "example.org.", "_25._tcp.example.org.", "_25._tcp.zz.example.org.",
	} {
		verified(t, pass.Owner(t.Context(), tlsa.Owner(name)), tlsa.RRset{})
	}
	for _, name := range []string{"org.", "a.org.", "test."} { // of the root
		if a := pass.Ask(t.Context(), name, dns.TypeTLSA); a.Security != lookup.Secure || a.Err != "" {
			t.Errorf("%s: %s %s", name, a.Security, a.Err)
		}
	}
}

func TestSecondaryLags(t *testing.T) {
	w := start(t)
	w.zone.Set(owner, tlsa.NewRRset(recordTTL, w.certs[1].record, foreign))
	got := w.look().servers
	if got[0].String() != "ns1: 2" || got[1].String() != "ns2: 1" {
		t.Errorf("%v", got)
	}
}

// TestNothingLeaves: an address that is not of the world leads nowhere.
func TestNothingLeaves(t *testing.T) {
	w := start(t)
	const elsewhere = "127.0.0.1:1"
	_, err := w.network.dial(t.Context(), "tcp", elsewhere)
	if err == nil || !strings.HasPrefix(err.Error(), elsewhere+": nobody is there") {
		t.Errorf("dial: %v", err)
	}
	if _, err := w.network.exchange(t.Context(), new(dns.Msg), "udp", mailAt); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("exchange: %v", err)
	}
}

// TestOverTCP: what is too large for who asks over UDP comes truncated, and whole
// over TCP.
func TestOverTCP(t *testing.T) {
	w := start(t)
	var many []tlsa.Association
	for n := range 30 {
		many = append(many, tlsa.Association{Params: tlsa.EE, Data: fmt.Sprintf("%064x", n)})
	}
	w.zone.Set(owner, tlsa.NewRRset(recordTTL, many...))
	w.zone.Transfer(secondary)
	m := new(dns.Msg).SetQuestion(string(owner), dns.TypeTLSA).SetEdns0(udpSize, true)
	r, err := w.network.exchange(t.Context(), m, "udp", ns1At)
	if err != nil || !r.Truncated {
		t.Fatalf("over UDP: %v %v", r, err)
	}
	r, err = w.network.exchange(t.Context(), m, "tcp", ns1At)
	if err != nil || r.Truncated || len(r.Answer) != len(many)+1 {
		t.Errorf("over TCP: %v %v", r, err)
	}
	r, err = w.network.exchange(t.Context(), m, "tcp", w.senders[0].resolver)
	if err != nil || len(r.Answer) != len(many)+1 {
		t.Errorf("through a resolver: %v %v", r, err)
	}
}

// TestWithoutDO: who does not ask for DNSSEC gets none of it.
func TestWithoutDO(t *testing.T) {
	w := start(t)
	r, err := w.network.exchange(t.Context(), new(dns.Msg).SetQuestion(string(owner), dns.TypeTLSA), "udp", resolverAt)
	if err != nil || len(r.Answer) != 2 || !r.AuthenticatedData {
		t.Errorf("%v %v", r, err)
	}
}

func TestNoTemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	_, err := newWorld(t.Context(), hostClock())
	if err == nil || !strings.HasPrefix(err.Error(), "no temporary directory: ") || !strings.HasSuffix(err.Error(), "(hint: TMPDIR names another place)") {
		t.Errorf("%v", err)
	}
}
