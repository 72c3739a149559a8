package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestExampleLegoHook renews with the hooks of examples/lego-hook and the timer of
// examples/systemd, under load: by lego 4, by lego 5 whose hook is killed, with a pass under way
// when the hook comes, and with a daemon.
func TestExampleLegoHook(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	h := newExampleHost(t, l, "lego-hook/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		tellFile(l),
		aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	once := readUnit(t, "tlsaroll-once.service").arguments(t)
	h.must(exitDone, once...) // adopts

	first := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, first)
	h.hookTakes("--renew-hook", "LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH")
	h.timer(once, first)
	_, errs := h.must(exitDone, once...)
	for line := range strings.Lines(errs.String()) {
		if !strings.Contains(line, "timing.ttls: one TTL") { // of the lab's own
			t.Errorf("while nothing is to be done, the log of the timer's unit has: %s", line)
		}
	}

	second := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, second)
	killed := h.hook("--deploy-hook", "LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Wait(); err == nil {
		t.Error("the hook was to be killed")
	}
	h.timer(once, second)

	third := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, third)
	over := h.passUnderWay(4 * time.Second)
	begun := time.Now()
	h.hookTakes("--deploy-hook", "LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH")
	if at := <-over; time.Now().Before(at) || at.Before(begun) {
		t.Error("the hook did not come while a pass was under way")
	}
	d := h.run()
	h.must(exitWaiting, once...) // the timer goes on
	h.eventually(40*time.Second, "renewed", live(third))

	fourth := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, fourth)
	h.hookTakes("--renew-hook", "LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH")
	h.eventually(40*time.Second, "renewed by the daemon", live(fourth))
	h.unharmed(hammer, 120)
	h.toldNobody()
	h.only(lab.Owner(25), fourth.TLSA(t, tlsa.EE), someoneElses)
	if text := d.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the daemon says\n%s", text)
	}
}

// hook is the README's hook as lego calls it: the line taken apart at blanks, the
// certificate named by two variables.
func (h *host) hook(option, cert, key string) *exec.Cmd {
	h.t.Helper()
	for _, line := range readDocument(h.t, "examples/lego-hook/README.md").commands() {
		i := slices.Index(line, option)
		if i < 0 {
			continue
		}
		argv := strings.Fields(line[i+1])
		cmd := exec.CommandContext(h.t.Context(), lab.Program(h.t, filepath.Base(argv[0])), append(argv[1:], "-c", h.config)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin", cert + "=" + h.Lego().Cert, key + "=" + h.Lego().Key}
		return cmd
	}
	h.t.Fatalf("no line of the README has %s", option)
	return nil
}

// hookTakes wants that a hook takes lego's pair, and leaves standard output alone.
func (h *host) hookTakes(option, cert, key string) {
	h.t.Helper()
	var out, errs bytes.Buffer
	cmd := h.hook(option, cert, key)
	cmd.Stdout, cmd.Stderr = &out, &errs
	begun := time.Now()
	if err := cmd.Run(); err != nil || !strings.Contains(errs.String(), "mx1: taken; ") || out.Len() > 0 {
		h.t.Fatalf("%s: %v\n%s%s", option, err, &out, &errs)
	}
	h.t.Logf("%s took %s: %s", option, time.Since(begun).Round(time.Millisecond), strings.TrimSpace(errs.String()))
}

// timer calls once until nothing is left to be done, and wants the pair to be live then.
func (h *host) timer(once []string, want *lab.Pair) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		code, out, errs := h.tlsaroll(once...)
		s := h.state()
		if code == exitDone && live(want)(s) {
			return
		}
		if code != exitWaiting && code != exitDone || time.Now().After(end) {
			h.t.Fatalf("once: exit %d\n%s%s", code, out, errs)
		}
	}
}

// passUnderWay holds the journal as a pass of another process does, and tells when it
// let go.
func (h *host) passUnderWay(d time.Duration) <-chan time.Time {
	h.t.Helper()
	journal, err := os.Open(filepath.Join(h.Dir, "tlsaroll", "journal.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := unix.Flock(int(journal.Fd()), unix.LOCK_EX); err != nil {
		h.t.Fatal(err)
	}
	over := make(chan time.Time, 1)
	time.AfterFunc(d, func() {
		over <- time.Now()
		journal.Close()
	})
	return over
}
