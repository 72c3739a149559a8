package main

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// staged has a lineage take what lego leaves.
func staged(files *lab.Lego) string {
	return "staged: {cert: " + files.Cert + ", key: " + files.Key + "}"
}

// newDaemonHost is a host on which tlsaroll runs as a daemon, and has adopted what
// is served.
func newDaemonHost(t *testing.T, o lab.Options, s setting) (*host, *lab.Daemon) {
	t.Helper()
	h := newHost(t, o, s)
	if s.staged == "" {
		s.staged = staged(h.Lego())
	}
	h.configure(s)
	d := h.run()
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil && s.Live.Leaf == leafID(h.Live) })
	return h, d
}

// run starts the daemon.
func (h *host) run(env ...string) *lab.Daemon {
	h.t.Helper()
	begun, program := time.Now(), cmp.Or(h.program, "tlsaroll")
	if !filepath.IsAbs(program) {
		program = lab.Program(h.t, program)
	}
	d := lab.StartDaemon(h.t, lab.DaemonOptions{Dir: h.Dir, Env: append(env, h.env...), Secrets: h.Secrets()}, program, "-c", h.config, "run")
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := d.Line(ctx, begun, "tlsaroll runs"); err != nil {
		h.t.Fatal(err)
	}
	return d
}

// eventually waits until the lineage stands as is wanted.
// patience is how many times as long as it takes on a quiet machine a test waits
// before it gives something up: to be late is not what it is about.
const patience = 4

// pollTests is how often they ask for the status, which takes a processor its time under
// the race detector.
const pollTests = 250 * time.Millisecond

func (h *host) eventually(limit time.Duration, what string, want func(rollover.LineageStatus) bool) rollover.LineageStatus {
	h.t.Helper()
	for end := time.Now().Add(patience * limit); ; time.Sleep(pollTests) {
		s := h.state()
		if want(s) {
			return s
		}
		if time.Now().After(end) {
			h.t.Fatalf("not %s after %s:\n%s", what, limit, s.Explain(time.Now()))
		}
	}
}

// live says that a pair is live and served, and nothing else on its way or left.
func live(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool {
		return s.Live != nil && s.Live.Leaf == leafID(p) && s.Phase == rollover.Steady && s.Swapping == nil && s.Endpoints[0].Verified == rollover.Yes
	}
}

// unharmed wants that not one handshake failed, of at least so many.
func (h *host) unharmed(hammer *lab.Tally, atLeast int) {
	h.t.Helper()
	if err := hammer.Until(h.t.Context(), func(c lab.Counts) bool { return c.Total >= atLeast }); err != nil {
		h.t.Error(err)
	}
	counts := hammer.Stop()
	h.t.Log(counts)
	if counts.Failed > 0 || counts.Total < atLeast {
		h.t.Errorf("%d of %d handshakes failed, want 0 of at least %d", counts.Failed, counts.Total, atLeast)
	}
}

// TestDaemon: a pair that lego leaves is brought into service, commands are
// answered meanwhile, and the daemon ends when it is asked to.
func TestDaemon(t *testing.T) {
	t.Parallel()
	h, d := newDaemonHost(t, lab.Options{TTL: labTTL, Resolvers: 3, SecondaryLag: 2 * time.Second}, setting{})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.eventually(20*time.Second, "published", func(s rollover.LineageStatus) bool {
		return s.Successor != nil && s.Successor.Phase == rollover.Published
	})
	out, _ := h.must(exitDone, "plan", "mx1")
	if !strings.Contains(out.String(), "published") {
		t.Errorf("plan beside the daemon:\n%s", out)
	}
	h.must(exitWaiting, "once", "--exit-code")
	_, errs := h.must(exitDone, "rollover", "mx1", "--wait")
	if !strings.Contains(errs.String(), "mx1: ") {
		t.Errorf("rollover --wait says nothing of how far it is:\n%s", errs)
	}
	h.eventually(20*time.Second, "steady", live(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE))
	d.Signal(t, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if code, err := d.Wait(ctx); code != exitDone || err != nil {
		t.Errorf("the daemon ended with %d, %v\n%s", code, err, d)
	}
	t.Log(d)
}
