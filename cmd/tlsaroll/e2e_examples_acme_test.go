package main

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// atOnce is the most that passes from a certificate of a standby key to its being in service.
const atOnce = time.Second

// TestExampleACME sets a host up as examples/acme says, and has it order two certificates
// for keys whose records stand, under load.
func TestExampleACME(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: clientTTL, Resolvers: 2, SecondaryLag: time.Second, Records: foreignRecord, Pebble: &lab.PebbleOptions{}})
	h := newExampleHost(t, l, "acme/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"directory: https://acme-v02.api.letsencrypt.org/directory", "directory: " + l.Pebble.Directory + "\n      ca-file: " + l.Pebble.CAFile},
		tellFile(l),
		aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile})
	h.mayAnswerChallenges()
	d := h.run()
	logged(t, d)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: clientTTL})
	for range 2 {
		ready := h.eventually(30*time.Second, "with a standby key that is ready", func(s rollover.LineageStatus) bool {
			return s.Phase == rollover.Steady && s.Swapping == nil && s.Standby != nil && s.Standby.Phase == rollover.Ready && s.Endpoints[0].Verified == rollover.Yes
		})
		begun := time.Now()
		h.must(exitDone, "rollover", "mx1", "--wait")
		h.atOnce(d, begun)
		if s := h.state(); "3 1 1 "+s.Live.SPKI != ready.Standby.Record {
			t.Errorf("live is the key %s, want the one of %s", s.Live.SPKI, ready.Standby.Record)
		}
	}
	at, err := url.Parse(l.Pebble.Directory)
	if err != nil {
		t.Fatal(err)
	}
	h.shows("examples/acme/README.md", 0, aReplacement{"acme-v02.api.letsencrypt.org", at.Host})
	s := h.state()
	h.only(lab.Owner(25), "3 1 1 "+s.Live.SPKI, s.Standby.Record, someoneElses)
	h.unharmed(hammer, 30)
	h.toldNobody()
}

// mayAnswerChallenges gives the primary the example's policy in the place of its own.
func (h *host) mayAnswerChallenges() {
	h.t.Helper()
	conf := filepath.Join(h.Dir, "primary", "named.conf")
	own := h.read(conf)
	_, policy, _ := strings.Cut(filled(h.t, "acme/named.conf.snippet"), "update-policy {\n")
	policy = strings.TrimSuffix(strings.TrimSpace(policy), "};")
	grant := "\t\tgrant \"" + h.Key(lab.Domain).Name + "\" zonesub TLSA TXT;\n"
	if !strings.Contains(own, grant) {
		h.t.Fatalf("the primary's policy is another one:\n%s", own)
	}
	h.write(conf, strings.Replace(own, grant, policy, 1))
	if out, err := h.command("rndc", "-c", filepath.Join(h.Dir, "primary", "rndc.conf"), "reconfig"); err != nil {
		h.t.Fatalf("rndc reconfig: %v: %s", err, out)
	}
}

// atOnce wants that the certificate which came since a moment was swapped in without a wait.
func (h *host) atOnce(d *lab.Daemon, since time.Time) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	ordered, err := d.Line(ctx, since, "ordered a certificate")
	if err != nil {
		h.t.Fatal(err)
	}
	swapped, err := d.Line(ctx, since, `action="swap mx1: `)
	if err != nil {
		h.t.Fatal(err)
	}
	took := swapped.At.Sub(ordered.At)
	h.t.Logf("a certificate of a standby key was served %s after it came, its reload included", took.Round(time.Millisecond))
	if limit := atOnce + h.Late(since); took > limit {
		h.t.Errorf("a certificate of a standby key was served %s after it came, want %s at most", took, limit)
	}
}
