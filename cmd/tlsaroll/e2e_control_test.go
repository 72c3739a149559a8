package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestWhileSomebodyWaits: a rollover that waits in the foreground keeps nobody from
// asking or from handing a pair in, and a daemon that starts meanwhile takes over
// when it ends.
func TestWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 5 * time.Second, Resolvers: 2, SecondaryLag: time.Second}, setting{knownTTL: "5s"})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	first, second := h.Certificates().Issue(t, lab.LeafOptions{}), h.Certificates().Issue(t, lab.LeafOptions{})
	ended := make(chan int)
	go func() {
		code, _, errs := h.tlsaroll("rollover", "mx1", "--cert", first.Fullchain(), "--key", first.Privkey(), "--wait=retired")
		t.Logf("the one that waits says:\n%s", errs)
		ended <- code
	}()
	h.eventually(20*time.Second, "published", func(s rollover.LineageStatus) bool {
		return s.Successor != nil && s.Successor.Phase == rollover.Published
	})
	h.must(exitDone, "plan", "mx1")
	h.must(exitWaiting, "once", "--exit-code", "mx1")
	begun := time.Now()
	d := lab.StartDaemon(t, lab.DaemonOptions{Dir: h.Dir, Secrets: h.Secrets()}, lab.Program(t, "tlsaroll"), "-c", h.config, "run")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := d.Line(ctx, begun, "waiting for the journal"); err != nil {
		t.Error(err)
	}
	_, errs := h.must(exitDone, "hook", "--cert", second.Fullchain(), "--key", second.Privkey())
	if !strings.Contains(errs.String(), "mx1: taken; ") {
		t.Errorf("hook says:\n%s", errs)
	}
	if s := h.state(); !waitsBehind(first, second)(s) {
		t.Errorf("the pair of the hook is not on its way:\n%s", s.Explain(time.Now()))
	}
	<-ended // steady, or 3 if the second pair came first: it need not wait for that
	if _, err := d.Line(ctx, begun, "tlsaroll runs"); err != nil {
		t.Error(err)
	}
	h.eventually(time.Minute, "steady", live(second))
	if code, _, errs := h.tlsaroll("run"); code != exitError || !strings.Contains(errs.String(), "another daemon answers at "+h.Dir+"/control.sock") {
		t.Errorf("a second daemon: exit %d\n%s", code, errs)
	}
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), second.TLSA(t, tlsa.EE))
}

// waitsBehind is that the second pair is queued, or the successor because the first has
// been swapped in meanwhile.
func waitsBehind(first, second *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool {
		return s.Queued != nil && s.Queued.Leaf == leafID(second) || isLive(first)(s) && succeeds(second)(s)
	}
}

// TestWedgedDaemon: a daemon that hangs is told from none, and nothing is done past it.
func TestWedgedDaemon(t *testing.T) {
	t.Parallel()
	h, d := newDaemonHost(t, lab.Options{TTL: labTTL, Resolvers: 1}, setting{})
	d.Signal(t, syscall.SIGSTOP)
	code, _, errs := h.tlsaroll("status")
	d.Signal(t, syscall.SIGCONT)
	if want := "tlsaroll: control socket: the daemon does not answer at " + h.Dir + "/control.sock (hint: "; code != exitError || !strings.HasPrefix(errs.String(), want) {
		t.Errorf("exit %d\n%s\nwant %s", code, errs, want)
	}
	h.must(exitDone, "status")
	d.Signal(t, syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	h.must(exitDone, "status") // its socket is left, and nobody listens: the journal is read
	h.must(exitDone, "once")
}

// TestTimerTellsPeople: a pass of once tells of warnings as the daemon does, each once
// however often the timer comes.
func TestTimerTellsPeople(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, Resolvers: 1}, setting{})
	heard := h.Dir + "/heard"
	h.configure(setting{top: "notify: [[tee, -a, " + heard + "]]\nnotify-at: warning"})
	h.must(exitDone, "adopt", "mx1")
	h.must(exitDone, "freeze", "mx1")
	for range 3 {
		h.must(exitDone, "once")
	}
	text, err := os.ReadFile(heard)
	if err != nil {
		t.Fatal(err)
	}
	var message struct{ Event, Lineage, Code, Severity, Text, Fix string }
	if err := json.Unmarshal(text, &message); err != nil {
		t.Errorf("not one message: %v\n%s", err, text)
	}
	if message.Event != "new" || message.Lineage != "mx1" || message.Code != string(rollover.CodeFrozen) || message.Fix != "tlsaroll thaw LINEAGE." {
		t.Errorf("people were told %+v", message)
	}
}
