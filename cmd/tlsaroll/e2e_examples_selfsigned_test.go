package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestExampleSelfSigned has the daemon keep a host by examples/self-signed, under load: it
// rolls when a person asks, by schedule, and when the key has leaked, each time to the
// standby key and at once.
func TestExampleSelfSigned(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 3, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	h := newExampleHost(t, l, "self-signed/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"lifetime: 90d", "lifetime: 40s"},
		tellFile(l),
		aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile})
	d := h.run()
	h.eventually(20*time.Second, "adopted", live(l.Live))
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	for _, command := range [][]string{{"rollover", "mx1"}, nil, {"rollover", "mx1", "--emergency"}} {
		ready := h.eventually(20*time.Second, "a standby key that is ready", func(s rollover.LineageStatus) bool {
			return s.Phase == rollover.Steady && s.Standby != nil && s.Standby.Phase == rollover.Ready
		})
		if command == nil {
			h.shows("examples/self-signed/README.md", 0)
		} else if code, _, errs := h.tlsaroll(command...); code != exitDone && code != exitWaiting || strings.Contains(errs.String(), "defer mail") {
			t.Fatalf("%q: exit %d\n%s", command, code, errs)
		}
		s := h.eventually(40*time.Second, "live with the standby key", func(s rollover.LineageStatus) bool {
			return s.Live != nil && s.Live.SPKI == ready.Standby.SPKI && s.Phase == rollover.Steady
		})
		if strings.Contains(strings.Join(s.Endpoints[0].Records, "\n"), ready.Live.SPKI) {
			t.Errorf("the record of the key before stands still:\n%s", s.Explain(time.Now()))
		}
	}
	h.unharmed(hammer, 40)
	h.toldNobody()
	if text := d.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the daemon says\n%s", text)
	}
}
