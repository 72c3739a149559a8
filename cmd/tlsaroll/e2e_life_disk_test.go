package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	noRoom   = "no space left on device (hint: make room"
	readOnly = "read-only file system (hint: is it mounted read-only, or missing from the unit's ReadWritePaths=?)"
)

// diskAt gives a directory of the lab a small file system of its own.
func diskAt(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// writable mounts a file system anew, for writing or not.
func writable(t *testing.T, dir string, may bool) {
	t.Helper()
	flags := uintptr(unix.MS_REMOUNT)
	if !may {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", dir, "", flags, ""); err != nil {
		t.Fatal(err)
	}
}

// room makes room on a disk that was filled.
func room(t *testing.T, disk string) {
	t.Helper()
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
}

// eventuallyTells waits until status has a sentence somewhere.
func (h *host) eventuallyTells(limit time.Duration, sentence string) string {
	h.t.Helper()
	for end := time.Now().Add(patience * limit); ; time.Sleep(pollTests) {
		s, told := h.statusOf("mx1")
		var texts []string
		for _, r := range s.Waiting {
			texts = append(texts, r.Text)
		}
		for _, w := range append(told, s.Warnings...) {
			texts = append(texts, w.Text)
		}
		if i := slices.IndexFunc(texts, func(text string) bool { return strings.Contains(text, sentence) }); i >= 0 {
			return texts[i]
		}
		if time.Now().After(end) {
			h.t.Fatalf("status does not tell %q after %s: %q", sentence, limit, texts)
		}
	}
}

// TestLifeStateDirectoryIsFull: first when a pair comes, then while its records wait,
// through the moment of its swap. It is said why nothing goes on, nothing is half done,
// and when there is room again it goes on by itself. That the directory is read-only at
// a start is said, too, and the next start goes on.
func TestLifeStateDirectoryIsFull(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, SecondaryLag: time.Second, Records: foreignRecord}, setting{})
	state := filepath.Join(h.Dir, "tlsaroll")
	diskAt(t, state)
	h.configure(setting{staged: staged(h.Lego()), knownTTL: "5s"})
	d := h.run()
	logged(t, d)
	h.eventually(time.Minute, "adopted", calm(h.Live))
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: lifeTTL})

	fill(t, state)
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	t.Log(h.eventuallyTells(30*time.Second, noRoom))
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), someoneElses)
	h.soonPresents(t, h.Live)
	if left, err := filepath.Glob(filepath.Join(state, "stash", ".tmp-*")); err != nil || len(left) > 0 {
		t.Errorf("left in the stash: %q, %v", left, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.Line(ctx, time.Time{}, noRoom); err != nil {
		t.Error(err)
	}
	room(t, state)

	s := h.eventually(time.Minute, "published", published(next))
	fill(t, state)
	time.Sleep(time.Until(*s.Successor.ReadyAt) + 3*time.Second)
	room(t, state)
	h.eventually(2*time.Minute, "calm", calm(next))

	d.Signal(t, syscall.SIGKILL)
	h.ends(d)
	writable(t, state, false)
	last := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, last)
	d = lab.StartDaemon(t, lab.DaemonOptions{Dir: h.Dir}, lab.Program(t, "tlsaroll"), "-c", h.config, "run")
	if code := h.ends(d); code != exitError || !strings.Contains(d.String(), "tlsaroll: journal "+filepath.Join(state, "journal.db")+": "+readOnly) {
		t.Errorf("it ended with %d:\n%s", code, d)
	}
	writable(t, state, true)
	logged(t, h.run())
	h.eventually(2*time.Minute, "calm", calm(last))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), last.TLSA(t, tlsa.EE), someoneElses)
}

// TestLifeInstallDirectory: it is full when the swap is due, and then read-only. The old
// pair stays, installed and served, the records of both stand, and status says why. With
// room again the person's word that the sentence asks for is enough.
func TestLifeInstallDirectory(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, SecondaryLag: time.Second, Records: foreignRecord}, setting{})
	disk := filepath.Join(h.Dir, "etc")
	diskAt(t, disk)
	installed := filepath.Join(disk, "mx1.pem")
	pem := h.read(h.Postfix.Combined)
	h.write(installed, pem)
	if out, err := h.command("postconf", "-c", h.Postfix.Config, "-e", "smtpd_tls_chain_files="+installed); err != nil {
		t.Fatalf("postconf: %v: %s", err, out)
	}
	h.Postfix.RunReload(t)
	h.configure(setting{staged: staged(h.Lego()), knownTTL: "5s", install: "[{path: " + installed + ", content: [key, chain], mode: \"0600\"}]"})
	d := h.run()
	logged(t, d)
	h.eventually(time.Minute, "adopted", calm(h.Live))
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: lifeTTL})
	old := h.Live
	for _, harm := range []struct {
		name, says string
		does       func()
		undo       func()
	}{
		{"full", noRoom, func() { fill(t, disk) }, func() { room(t, disk) }},
		{"read-only", readOnly, func() { writable(t, disk, false) }, func() { writable(t, disk, true) }},
	} {
		before := h.read(installed)
		harm.does()
		next := h.Certificates().Issue(t, lab.LeafOptions{})
		h.Lego().Renew(t, next)
		t.Logf("%s: %s", harm.name, h.eventuallyTells(time.Minute, harm.says))
		h.eventually(30*time.Second, "held", func(s rollover.LineageStatus) bool { return s.Held != nil && isLive(old)(s) && succeeds(next)(s) })
		h.only(lab.Owner(25), old.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE), someoneElses)
		h.soonPresents(t, old)
		if h.read(installed) != before {
			t.Errorf("%s: the installed file has changed", harm.name)
		}
		entries, err := os.ReadDir(disk)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s: left behind: %s", harm.name, e.Name())
			}
		}
		harm.undo()
		h.must(exitDone, "rollover", "mx1", "--wait")
		h.eventually(time.Minute, "calm", calm(next))
		h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
		old = next
	}
	h.unharmed(hammer, 40)
}
