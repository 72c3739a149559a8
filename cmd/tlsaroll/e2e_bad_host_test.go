package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// short has short waits, and the usual patience with a server that reloads.
func short(s setting) setting {
	s.knownTTL = "2s"
	return s
}

// TestDoubtfulPairs holds what is said about pairs that are taken all the same.
func TestDoubtfulPairs(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, short(setting{}))
	early := h.Certificates().Issue(t, lab.LeafOptions{Begins: time.Hour})
	stranger := h.Certificates().Issue(t, lab.LeafOptions{Names: []string{"www.example.org"}})
	for _, test := range []struct {
		name string
		pair *lab.Pair
		want bad
	}{
		{"not yet valid", early, bad{
			says:  "warning: LAB/ca/leaf-2/fullchain.pem: not valid before TIME (hint: its record is published now, and it is swapped in then; if it should be valid, is the clock right)\ndone: publish _25._tcp.mx1.example.org.: +(3 1 1 DIGEST)",
			waits: "not-yet-valid: certificate ID begins on TIME…",
		}},
		{"another name for ee", stranger, bad{
			says:  "warning: LAB/ca/leaf-3/fullchain.pem: the certificate is not for mx1.example.org (hint: DANE-EE does not mind (RFC 7672, section 3.1.1), MTA-STS and mail programs do)\ndone: publish _25._tcp.mx1.example.org.: +(3 1 1 DIGEST)",
			waits: "version-alive: _25._tcp.mx1.example.org.: an answer without what the successor needs may …", // be given still, or held in caches
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := test.want
			b.setting, b.code, b.adds = short(setting{state: "doubtful-" + test.pair.Leaf().DNSNames[0]}), exitWaiting, test.pair.TLSA(t, tlsa.EE)
			b.args = []string{"rollover", "mx1", "--cert", test.pair.Fullchain(), "--key", test.pair.Privkey()}
			h.suffers(t, b)
		})
	}
}

// TestSTARTTLSMissing holds what is said where the mail server no longer offers
// TLS, and that a swap that brings this about is undone.
func TestSTARTTLSMissing(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, short(setting{}))
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	const missing = "smtp://mx1.example.org at 127.77.0.25:25: STARTTLS: not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)"
	postconf := func(level string) []string {
		return []string{"postconf", "-c", h.Postfix.Config, "-e", "smtpd_tls_security_level=" + level}
	}
	h.must(exitDone, "adopt", "mx1")

	h.starttls(t, "none")
	time.Sleep(1100 * time.Millisecond) // the next look is due a second after the last
	h.suffers(t, bad{setting: short(setting{}), args: []string{"rollover", "mx1", "--wait"}, code: exitPerson, says: "not-served: the live certificate is not served: " + missing})
	h.starttls(t, "may")
	h.must(exitDone, "rollover", "mx1")

	h.configure(short(setting{settle: "1s", reload: "[" + argv(postconf("none")) + ", " + argv(h.Postfix.Reload) + "]"}))
	out, errs := h.must(exitPerson, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait")
	lines := strings.Split(h.steady(said(errs.String())), "\n")
	want := "swap-failed: 127.77.0.25:25 has no working TLS: " + missing + "; the old pair is live, and the records of both stay; tried again at TIME, on a new pair, or by tlsaroll rollover mx1"
	if got := lines[len(lines)-1]; got != want {
		t.Errorf("it says\n%s\nwant\n%s\n%s", got, want, out)
	}
	h.starttls(t, "may")
	h.soonPresents(t, h.Live)
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE))

	h.configure(short(setting{}))
	h.must(exitDone, "rollover", "mx1", "--wait")
	h.soonPresents(t, next)
}

// starttls sets Postfix's smtpd_tls_security_level and waits until it shows.
func (h *host) starttls(t *testing.T, level string) {
	t.Helper()
	file := filepath.Join(h.Postfix.Config, "main.cf")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "smtpd_tls_security_level") {
			line = "smtpd_tls_security_level = " + level + "\n"
		}
		lines = append(lines, line)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	h.Postfix.RunReload(t)
	for end := time.Now().Add(5 * time.Second); (h.presents(t) == "") != (level == "none"); {
		if time.Now().After(end) {
			t.Fatalf("Postfix: smtpd_tls_security_level = %s does not show", level)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestFullDisk holds that a state directory without room costs nothing but time.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := short(setting{state: "disk"})
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, s)
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	disk := filepath.Join(h.Dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	room := func() {
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
	}
	roll := []string{"rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey()}

	fill(t, disk)
	h.suffers(t, bad{setting: s, args: roll, code: exitError, says: "journal LAB/disk/journal.db: no space left on device (hint: make room; what was saved before stands)"})
	room()
	h.must(exitDone, "adopt", "mx1")
	fill(t, disk)
	h.suffers(t, bad{setting: s, args: roll, code: exitError, says: "mx1: stash LAB/disk/stash: put ID: write LAB/disk/stash/.tmp-1: no space left on device (hint: make room; nothing was changed)"})
	room()
	h.must(exitWaiting, roll...)
	h.must(exitDone, "freeze", "mx1") // so that it is not over before the disk is full
	fill(t, disk)
	h.neverSaves(t, s)
	room()
	h.must(exitDone, "thaw", "mx1")
	h.must(exitDone, "rollover", "mx1", "--wait")
	h.soonPresents(t, next)
}

// neverSaves makes passes until the journal finds no page any more in what it has
// of the disk already, and wants that pass to end before anything is done.
func (h *host) neverSaves(t *testing.T, s setting) {
	t.Helper()
	h.configure(s)
	const want = "nothing was done: journal LAB/disk/journal.db: write LAB/disk/journal.db: no space left on device (hint: make room; what was saved before stands)"
	for range 20 {
		before := h.evidence(t, s)
		code, _, errs := h.tlsaroll("rollover", "mx1")
		if code == exitWaiting {
			continue // there still was one
		}
		if got := h.steady(said(errs.String())); code != exitError || got != want || before.Served != h.presents(t) {
			t.Errorf("exit %d\n%s\nwant\n%s", code, got, want)
		}
		return
	}
	t.Error("the journal is saved again and again on a full disk")
}

// fill leaves no room on a disk.
func fill(t *testing.T, disk string) {
	t.Helper()
	file, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// TestSecondInstance holds that two do not act on one state directory, and that
// the first is not disturbed.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, short(setting{}))
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.must(exitDone, "adopt", "mx1")
	if err := os.WriteFile(h.Dir+"/control.sock", nil, 0o600); err != nil { // so that the first one cannot answer others
		t.Fatal(err)
	}
	first := h.start("rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, begun := first.errs.first("done: publish"); begun {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the first one publishes nothing\n%s", first.errs)
		}
	}
	const want = "journal LAB/tlsaroll/journal.db: in use by another tlsaroll (hint: ask again when the rollover or once that is at work has ended; a daemon that is not to be reached needs a restart)"
	for _, second := range []struct {
		running
		code int
	}{
		{h.start("rollover", "mx1"), exitError},
		{h.start("adopt", "mx1"), exitError},
		{h.start("once"), exitDone}, // what is due is done by the first one
		{h.start("once", "--exit-code"), exitWaiting},
	} {
		code := <-second.done
		if got := h.steady(said(second.errs.String())); code != second.code || got != want {
			t.Errorf("the second one: exit %d, want %d\n%s\nwant\n%s", code, second.code, got, want)
		}
	}
	if code := <-first.done; code != exitDone {
		t.Errorf("the first one: exit %d\n%s", code, first.errs)
	}
	h.soonPresents(t, next)
}

// running is a run of the program that goes on.
type running struct {
	out, errs *output
	done      chan int
}

// start runs the program beside the test, which must receive how it ended.
func (h *host) start(args ...string) running {
	h.t.Helper()
	r := running{out: &output{}, errs: &output{}, done: make(chan int, 1)}
	go func() {
		r.done <- run(h.t.Context(), append([]string{"-c", h.config}, args...), world{
			stdin: strings.NewReader(""), stdout: r.out, stderr: r.errs,
			lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now,
		})
	}()
	return r
}
