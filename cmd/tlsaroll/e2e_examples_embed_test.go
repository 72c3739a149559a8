package main

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestExampleEmbed has another program, which has the packages within itself, renew a
// host's certificate under load, killed on the way. It is called as its page says.
func TestExampleEmbed(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	h := &host{Lab: l, t: t, now: time.Now}
	t.Cleanup(h.checkSecrets)
	line := replaced(t, readDocument(t, "examples/embed/README.md").blocks("sh")[0],
		aReplacement{"go run ./examples/embed", lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/examples/embed")},
		aReplacement{"/var/lib/embed", l.Dir + "/embed"},
		aReplacement{"127.0.0.1:53", l.Resolver.String()},
		aReplacement{"ns1.example.org:53", l.Primary.String()},
		aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		aReplacement{"/etc/postfix/tls/mx1.pem", l.Postfix.Combined},
		aReplacement{"-install", "-ttl 5s -known-ttl 5s -floor 2s -retire 0s -look 1s -quiet 1s -private -install"},
		aReplacement{"systemctl reload postfix", strings.Join(l.Postfix.Reload, " ")})
	argv := words(strings.ReplaceAll(line, "\\\n", " "))
	begun := time.Now()
	start := func() *lab.Daemon {
		return lab.StartDaemon(t, lab.DaemonOptions{Dir: l.Dir, Secrets: l.Secrets()}, argv...)
	}
	d := start()
	tells(t, d, begun, "event=adopted")
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	tells(t, d, begun, "event=published")
	d.Kill()
	again := time.Now()
	d = start()
	tells(t, d, again, "event=retired")
	h.unharmed(hammer, 30)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	if got := h.presents(t); got != leafID(next) {
		t.Errorf("Postfix presents %s, want %s", got, leafID(next))
	}
	d.Signal(t, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if code, err := d.Wait(ctx); code != 0 || err != nil || slices.ContainsFunc(d.Lines(), func(l lab.Line) bool { return strings.Contains(l.Text, "level=ERROR") }) {
		t.Errorf("it ended with %d, %v\n%s", code, err, d)
	}
}

// tells waits until a program has said something.
func tells(t *testing.T, d *lab.Daemon, since time.Time, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience*20*time.Second)
	defer cancel()
	if _, err := d.Line(ctx, since, text); err != nil {
		t.Fatalf("%v\n%s", err, d)
	}
}
