package main

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeDaemonIsKilled: it is killed at any moment through a whole rollover, twelve
// times at least, and starts again each time.
func TestLifeDaemonIsKilled(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, SecondaryLag: 2 * time.Second, Resolvers: 3, Records: foreignRecord}, setting{})
	h.configure(setting{staged: staged(h.Lego()), reload: "[[sleep, \"1\"], " + argv(h.Postfix.Reload) + "]"}) // so that some kills come within a swap
	d := h.run()
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil })
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	met := map[rollover.Phase]int{}
	for kills := 0; kills < 12 || met[rollover.Steady] == 0; kills++ {
		if kills == 60 {
			t.Fatalf("not done after %d kills: %v\n%s", kills, met, d)
		}
		longest := 2 * time.Second * time.Duration(1+kills/12)   // a slow machine gets nowhere in two seconds
		time.Sleep(time.Duration(random.Int64N(int64(longest)))) // any moment will do
		d.Signal(t, syscall.SIGKILL)
		h.ends(d)
		s := h.state() // with no daemon, of what the journal has
		if s.Live == nil || s.Live.Leaf == leafID(h.Live) && s.Phase == rollover.Steady {
			s.Phase = "begun"
		}
		if s.Swapping != nil {
			s.Phase = "swapping"
		}
		met[s.Phase]++
		d = h.run()
	}
	logged(t, d)
	t.Logf("killed in %v", met)
	h.eventually(40*time.Second, "calm", calm(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}

// TestLifeDaemonIsStopped: it is asked to end while it waits, and while a swap is under
// way. It ends soon, and the next one goes on.
func TestLifeDaemonIsStopped(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, Records: foreignRecord}, setting{})
	h.configure(setting{staged: staged(h.Lego()), reload: "[[sleep, \"3\"], " + argv(h.Postfix.Reload) + "]"})
	d := h.run()
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil })
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next, ready := h.renewed()
	d = h.stopped(d)
	if s := h.state(); s.Successor == nil || !s.Successor.ReadyAt.Equal(ready) {
		t.Errorf("after a restart the successor is not ready at %s:\n%s", ready, s.Explain(time.Now()))
	}
	h.eventually(time.Minute, "in a swap", func(rollover.LineageStatus) bool { return !h.switched().Before(ready) })
	if strings.Contains(d.String(), "action=\"swap") {
		t.Errorf("it is not stopped in a swap:\n%s", d)
	}
	d = h.stopped(d) // sleeps in its reload
	logged(t, d)
	h.eventually(30*time.Second, "calm", calm(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}

// stopped asks the daemon to end, which it does at once and in good order, and starts it
// again.
func (h *host) stopped(d *lab.Daemon) *lab.Daemon {
	h.t.Helper()
	asked := time.Now()
	d.Signal(h.t, syscall.SIGTERM)
	if code := h.ends(d); code != exitDone || !strings.Contains(d.String(), "nothing is lost") {
		h.t.Errorf("it ended with %d:\n%s", code, d)
	}
	took := time.Since(asked)
	h.t.Logf("it ended %s after it was asked", took.Round(time.Millisecond))
	if took > 5*time.Second+h.Late(time.Now()) {
		h.t.Errorf("it took %s to end", took)
	}
	return h.run()
}
