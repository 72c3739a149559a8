package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/notify"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestDaemonTellsOfSwaps: whoever made the pass, and as the configuration has it.
func TestDaemonTellsOfSwaps(t *testing.T) {
	for _, swaps := range []bool{false, true} {
		cfg := config.Config{State: t.TempDir(), Notify: []config.Notifier{{Command: []string{"tell"}}}, NotifyAt: "error", NotifySwaps: swaps, NotifyRemind: time.Hour}
		d := newDaemon(&program{now: time.Now})
		d.tellHappened([]rollover.Event{{Kind: rollover.Verified}}) // nobody is to be told yet: there is no teller
		telling := d.telling(&cfg, slog.New(slog.DiscardHandler))
		if telling.Remind != time.Hour || telling.At != rollover.Danger {
			t.Errorf("told as of %+v", telling)
		}
		heard := ""
		telling.Run = func(_ context.Context, _ []string, stdin []byte) ([]byte, error) {
			heard += string(stdin)
			return nil, nil
		}
		teller, err := notify.New(telling)
		if err != nil {
			t.Fatal(err)
		}
		d.present.Store(&present{cfg: &cfg, teller: teller})
		d.tellHappened([]rollover.Event{{Kind: rollover.Swapped, Lineage: "mx1"}, {At: time.Now(), Kind: rollover.Verified, Lineage: "mx1", Pair: "9131b748"}})
		if err := teller.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(heard, `"event":"in-service","lineage":"mx1"`); n != strings.Count(heard, "\n") || (n == 1) != swaps {
			t.Errorf("with notify-swaps: %t people hear %q", swaps, heard)
		}
	}
}
