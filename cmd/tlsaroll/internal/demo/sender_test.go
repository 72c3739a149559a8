package demo

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestJudge(t *testing.T) {
	ca, err := newIssuer(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var certs []certificate
	for n := range 2 {
		c, err := ca.issue(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	issuer, err := certs[0].Chain.Association(tlsa.TA, 1)
	if err != nil {
		t.Fatal(err)
	}
	unusable := tlsa.Association{Params: tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}, Data: certs[0].record.Data}
	for what, test := range map[string]struct {
		records  []tlsa.Association
		delivers bool
	}{
		"its record":          {[]tlsa.Association{certs[0].record}, true},
		"its record and more": {[]tlsa.Association{certs[0].record, certs[1].record, foreign}, true},
		"its issuer's":        {[]tlsa.Association{foreign, issuer}, true},
		"another's":           {[]tlsa.Association{certs[1].record, foreign}, false},
		"none":                {nil, false},
		"none that is usable": {[]tlsa.Association{unusable}, false},
	} {
		if err := judge(tlsa.NewRRset(recordTTL, test.records...), certs[0].Chain, time.Now()); (err == nil) != test.delivers {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestHandshake goes all the way, by a cache that is behind.
func TestHandshake(t *testing.T) {
	w := start(t)
	s := w.senders[0]
	if err := s.handshake(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.install(w.certs[1]); err != nil {
		t.Fatal(err)
	}
	if err := s.handshake(t.Context()); err != nil {
		t.Errorf("the mail server reads its file without being told to: %v", err)
	}
	if err := w.mail.reload(); err != nil {
		t.Fatal(err)
	}
	w.zone.Set(owner, tlsa.NewRRset(recordTTL, w.certs[1].record, foreign))
	w.zone.Transfer(secondary)
	var miss *tlsa.MatchError
	if err := s.handshake(t.Context()); !errors.As(err, &miss) {
		t.Errorf("by the old record, the new certificate: %v", err)
	}
	if err := w.senders[1].handshake(t.Context()); err != nil { // whose resolver has nothing cached
		t.Errorf("by the new record, the new certificate: %v", err)
	}
}

func TestInsecureIsAFailure(t *testing.T) {
	n, err := listenDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	err = n.serve(func(m *dns.Msg) (*dns.Msg, error) {
		r := new(dns.Msg).SetReply(m)
		r.Answer = []dns.RR{address(host+".", mailAt)}
		return r, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := sender{resolverAt, newNetwork(), time.Now}
	s.network.place(s.resolver, n)
	if err := s.handshake(t.Context()); !errors.Is(err, errInsecure) {
		t.Errorf("%v", err)
	}
}

// TestBadFile: a pair that does not fit changes nothing.
func TestBadFile(t *testing.T) {
	w := start(t)
	odd := w.certs[1]
	odd.Key = w.certs[2].Key
	if err := w.install(odd); err != nil {
		t.Fatal(err)
	}
	if err := w.mail.reload(); err == nil || !strings.Contains(err.Error(), "mx1.pem: ") {
		t.Errorf("%v", err)
	}
	if got := w.look().serves; got != 1 {
		t.Errorf("certificate %d is served", got)
	}
}

// TestHammerCounts: handshakes are counted whatever they come to, and none that is
// cut short.
func TestHammerCounts(t *testing.T) {
	w := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	h := strike(ctx, w.senders[:1])
	defer h.stop()
	until := func(enough func(Counts) bool) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for c, _ := h.tally.soFar(); !enough(c); c, _ = h.tally.soFar() {
			if time.Now().After(deadline) {
				t.Fatalf("stuck at %+v", c)
			}
			time.Sleep(time.Millisecond)
		}
	}
	until(func(c Counts) bool { return c.Handshakes >= 3 && c.Failed == 0 })
	if err := errors.Join(w.install(w.certs[1]), w.mail.reload()); err != nil {
		t.Fatal(err)
	}
	until(func(c Counts) bool { return c.Failed > 0 && strings.Contains(c.Why, "3 1 1") })
	cancel()
	h.work.Wait()
	if before, _ := h.tally.soFar(); before != h.tally.restart() {
		t.Error("a restart counts otherwise")
	}
	if c, all := h.tally.soFar(); c != (Counts{}) || !all {
		t.Errorf("after a restart: %+v, all %t", c, all)
	}
}
