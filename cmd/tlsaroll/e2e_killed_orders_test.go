package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// orderPoints are where a daemon can be killed around an order.
var orderPoints = []string{"order: written down, before it is placed", "order: issued, before it is handed in", "order: handed in and written down"}

// TestKilledInOrders kills the daemon with SIGKILL at every point around an order: what was
// issued and not handed in yet is ordered again, what was handed in is not, and nobody's
// handshake fails.
func TestKilledInOrders(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 2, SecondaryLag: time.Second, Records: foreignRecord}, setting{})
	program := lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/cmd/tlsaroll", "-tags=failpoints")
	h.configure(setting{staged: "issue: self-signed", knownTTL: "5s"})
	k := newKilling(h, newScore(t), program)
	k.sources = []source{{"mx1", lab.ECDSA, nil, h.Postfix.Combined}}
	k.start()
	k.until(time.Minute, "adopted", func(all []rollover.LineageStatus) string {
		if s := all[0]; s.Live == nil || s.Phase != rollover.Steady {
			return s.Explain(time.Now())
		}
		return ""
	})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: lifeTTL})
	for _, point := range orderPoints {
		before := k.now()[0].Live.SPKI
		k.armed = map[string]int{point: 1}
		last := k.daemon
		k.shoot() // the next one hears of it
		k.running(last)
		ordered := make(chan struct{})
		go func() { // as often as the daemon is killed before it answers
			defer close(ordered)
			for t.Context().Err() == nil {
				if code, _, _ := k.tlsaroll("rollover", "mx1"); code == exitDone || code == exitWaiting {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		k.until(time.Minute, "ordered", func(all []rollover.LineageStatus) string {
			select {
			case <-ordered:
				return ""
			default:
				return all[0].Explain(time.Now())
			}
		})
		k.until(time.Minute, "rolled", func(all []rollover.LineageStatus) string {
			if s := all[0]; s.Live.SPKI == before || s.Phase != rollover.Steady || s.Queued != nil || len(s.Waiting)+len(s.Warnings) > 0 || s.Renewal.Tries > 0 {
				return s.Explain(time.Now())
			}
			return ""
		})
		if n := k.score.at(point); n != 1 {
			t.Errorf("%s: killed %d times", point, n)
		}
		if records := k.records(lab.Owner(25)); len(records) != 2 {
			t.Errorf("%s: the zone has %q", point, records)
		}
	}
	k.stop()
	k.unharmed(hammer, 40)
}
