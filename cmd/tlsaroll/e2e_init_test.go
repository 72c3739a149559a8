package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestInit has init look at a host whose Postfix reads lego's files and whose Dovecot has
// copies, does what it says by hand, and wants the first pass to take all of it over.
func TestInit(t *testing.T) {
	t.Parallel()
	h := &host{Lab: lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 1, Dovecot: true, LegoFiles: true}), t: t, now: time.Now}
	t.Cleanup(h.checkSecrets)
	dir := filepath.Join(h.Dir, "etc")
	h.config = filepath.Join(dir, "tlsaroll.yaml")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.write(filepath.Join(dir, "tsig.secret"), h.read(h.Key(lab.Domain).SecretFile))

	text := h.initialises()
	h.write(h.config, replaced(t, h.read(h.config),
		aReplacement{"state: /var/lib/tlsaroll ", "timing: " + exampleTiming + "\ncontrol: " + h.control() + "\nstate: " + filepath.Join(h.Dir, "tlsaroll") + " "}))
	h.followsSteps(text)

	h.must(exitDone, "once")
	h.eventually(20*time.Second, "steady", func(s rollover.LineageStatus) bool {
		h.must(exitDone, "once")
		return s.Phase == rollover.Steady && live(h.Live)(s)
	})
	if out, _ := h.must(exitDone, "plan", "--exit-code"); strings.Contains(out.String(), "would ") {
		t.Errorf("something is left to do:\n%s", out)
	}
	for _, port := range []uint16{25, 993} {
		h.only(lab.Owner(port), h.Live.TLSA(t, tlsa.EE))
	}
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Postfix.Lego.Renew(t, next)
	h.eventually(20*time.Second, "on its way", func(s rollover.LineageStatus) bool {
		h.must(exitDone, "once")
		return s.Successor != nil && s.Successor.Leaf == leafID(next)
	})
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE))
}

// initialises runs init, and gives what it prints.
func (h *host) initialises() string {
	h.t.Helper()
	out, errs, nowhere := &output{}, &output{}, filepath.Join(h.Dir, "nowhere")
	code := run(h.t.Context(), []string{"init", "--yes", "--output", h.config, "--resolver", h.Resolver.String()}, world{
		stdin: strings.NewReader(""), stdout: out, stderr: errs, lookupEnv: func(string) (string, bool) { return "", false }, now: h.now,
		find: func(f *finder.Host) {
			f.Postfix, f.Dovecot, f.BIND, f.Lego = h.Postfix.Config, h.Dovecot.Config, filepath.Join(h.Dir, "primary", "named.conf"), h.Postfix.Lego.Dir
			f.Knot, f.NSD, f.PowerDNS = nowhere, nowhere, nowhere // the machine's own are none of this host's
		},
	})
	h.spoken.add(out.String())
	h.spoken.add(errs.String())
	text := h.read(h.config)
	for _, want := range []string{
		"BIND on this host is the zone's primary", "server: ns1.example.org:53", "key: tlsaroll.example.org.", "zones: {example.org: {private: true}}",
		"- smtp://mx1.example.org ", "- imaps://mx1.example.org ", "1 TLSA record stands", "in use by Postfix and Dovecot", "staged: {lego: " + h.Postfix.Lego.Dir + ", name: mx1.example.org}",
		"{dir: " + h.Dovecot.TLS + ",",
	} {
		if !strings.Contains(text, want) {
			h.t.Errorf("the configuration lacks %q", want)
		}
	}
	if code != exitDone || errs.String() != "" || !strings.Contains(out.String(), "the plan, as tlsaroll plan tells it, which is another one when the steps above are done:\nmx1 ") {
		h.t.Errorf("init: exit %d\n%s%s\n%s", code, out, errs, text)
	}
	return out.String()
}

var stepLine = regexp.MustCompile(`(?m)^     (.+)$`)

// followsSteps carries out the steps that init printed: commands as a person would paste them.
func (h *host) followsSteps(text string) {
	h.t.Helper()
	text, _, _ = strings.Cut(text, "the plan, as")
	done := 0
	for _, m := range stepLine.FindAllStringSubmatch(text, -1) {
		line := m[1]
		if strings.HasPrefix(line, "#") {
			continue
		}
		if out, err := h.command("/bin/sh", "-ec", line); err != nil {
			h.t.Fatalf("%s: %v: %s", line, err, out)
		}
		done++
	}
	if done != 6 { // three that make the file, the setting, check and reload
		h.t.Errorf("%d lines were done of\n%s", done, text)
	}
}
