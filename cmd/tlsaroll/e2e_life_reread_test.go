package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeConfigurationIsReadAnew: in the middle of a wait first a bad file, then a good one
// that adds an endpoint. The wait goes on through both.
func TestLifeConfigurationIsReadAnew(t *testing.T) {
	t.Parallel()
	h, d := newDaemonHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, Dovecot: true, Records: foreignRecord}, setting{})
	logged(t, d)
	h.Update(t, lab.RemoveRRset(lab.Owner(993)+" 5 IN TLSA "+someoneElses))
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next, ready := h.renewed()
	good, err := os.ReadFile(h.config)
	if err != nil {
		t.Fatal(err)
	}
	h.hangUp(d, strings.Replace(string(good), "scheme: ee", "scheme: eee", 1), "the configuration was not changed")
	h.eventuallyTold(10*time.Second, rollover.CodeConfigStale, true, h.config+":12:13: lineages.mx1.scheme: ", `"eee"`)
	if log := d.String(); !strings.Contains(log, h.config+":12:13: lineages.mx1.scheme: ") {
		t.Error("the log does not say where the file is wrong")
	}
	if s := h.state(); s.Successor == nil || !s.Successor.ReadyAt.Equal(ready) {
		t.Errorf("the bad file changed the wait until %s:\n%s", ready, s.Explain(time.Now()))
	}
	h.hangUp(d, string(good), "the configuration was read again")
	h.eventuallyTold(10*time.Second, rollover.CodeConfigStale, false)
	if s := h.state(); s.Successor == nil || !s.Successor.ReadyAt.Equal(ready) {
		t.Errorf("the good file changed the wait until %s:\n%s", ready, s.Explain(time.Now()))
	}
	h.swapsInTime(time.Minute, next)
	h.eventually(30*time.Second, "calm", calm(next))

	// One endpoint more: its records are published for what it presents.
	h.hangUp(d, strings.Replace(string(good), "endpoints: [", "endpoints: [imaps://"+lab.Host+", ", 1), "the configuration was read again")
	h.eventually(30*time.Second, "calm with two endpoints", func(s rollover.LineageStatus) bool {
		return calm(next)(s) && len(s.Endpoints) == 2 && s.Endpoints[1].Verified == rollover.Yes
	})
	h.only(lab.Owner(993), next.TLSA(t, tlsa.EE))
	imaps := h.Hammer(t.Context(), lab.HammerOptions{Port: 993, Rate: 3})
	last, _ := h.renewed()
	h.swapsInTime(time.Minute, last)
	h.eventually(30*time.Second, "calm", calm(last))
	h.unharmed(imaps, 25)
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), last.TLSA(t, tlsa.EE), someoneElses)
	h.only(lab.Owner(993), last.TLSA(t, tlsa.EE))
}

// hangUp has the daemon read a configuration, and waits until it has said what came of it.
func (h *host) hangUp(d *lab.Daemon, text, want string) {
	h.t.Helper()
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	begun := time.Now()
	d.Signal(h.t, syscall.SIGHUP)
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := d.Line(ctx, begun, want); err != nil {
		h.t.Fatal(err)
	}
}
