package agent

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
)

// takesUp runs the agent until a pair is the successor of a lineage, or queues to be
// it, and returns when that was seen.
func (w *world) takesUp(a *Agent, name string, p certwatch.Pair) (at time.Time) {
	w.t.Helper()
	w.goOn(a, 2*time.Hour, func(r Report) bool {
		l, ours := r.State.Lineages[name]
		at = time.Now()
		return ours && (l.Successor == p.ID() || l.Queued == p.ID())
	})
	return at
}

// TestHint: what a hint tells of is read at once, and at the next poll without one.
func TestHint(t *testing.T) {
	for name, change := range map[string]func(*world, string, certwatch.Pair){"hint": (*world).renew, "poll": (*world).stage} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.config.Timing.Poll = 20 * time.Minute
				a, _ := adopted(w)
				defer w.close(a)
				second, begun := w.ca.issue(t, mx1), time.Now()
				time.AfterFunc(time.Second, func() { begun = time.Now(); change(w, "mx1", second) })
				took := w.takesUp(a, "mx1", second).Sub(begun)
				if hinted := took < time.Second; hinted != (name == "hint") {
					t.Errorf("taken after %s", took)
				}
				read := a.of["mx1"].book.polled
				time.Sleep(time.Second)
				if mustPass(t, a, "mx1"); !a.of["mx1"].book.polled.Equal(read) {
					t.Error("the files were read again for nothing")
				}
			})
		})
	}
}

// TestHintDuringPass: a hint that comes when the files of the pass have been read is
// good for another pass.
func TestHintDuringPass(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 20 * time.Minute
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		var begun time.Time
		w.mu.Lock()
		w.onAsk = func(_ netip.AddrPort, q dns.Question) {
			w.mu.Lock()
			first := begun.IsZero() && q.Qtype == dns.TypeTLSA
			if first {
				begun = time.Now()
			}
			w.mu.Unlock()
			if first {
				w.renew("mx1", second)
				time.Sleep(time.Second) // the pass goes on
			}
		}
		w.mu.Unlock()
		if took := w.takesUp(a, "mx1", second).Sub(begun); took > 2*time.Second {
			t.Errorf("taken after %s", took)
		}
	})
}

// TestHintOfFailedPass: a pass that could not be made has read nothing.
func TestHintOfFailedPass(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 20 * time.Minute
		a, _ := adopted(w)
		defer w.close(a)
		disk := &fullStore{Store: a.rooms.Store}
		a.rooms.Store = disk
		second, begun := w.ca.issue(t, mx1), time.Now()
		time.AfterFunc(time.Second, func() { w.renew("mx1", second) })
		time.AfterFunc(2*time.Second, func() { disk.room.Store(true) })
		if took := w.takesUp(a, "mx1", second).Sub(begun); took > time.Minute {
			t.Errorf("taken after %s", took)
		}
	})
}

// TestHintOfJoined: a lineage is hinted at by its name, in whatever group it is.
func TestHintOfJoined(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 20 * time.Minute
		w.lineage("mx2", "203.0.113.1")
		w.serve("mx2", w.ca.issue(t, "mx2.example.org"))
		a, _ := adopted(w)
		defer w.close(a)
		one, two := a.of["mx1"], a.of["mx2"]
		if err := a.join(t.Context(), one, two); err != nil {
			t.Fatal(err)
		}
		if one.joined != nil || two.joined != one {
			t.Fatal("mx2 was not taken in by mx1")
		}
		second, begun := w.ca.issue(t, "mx2.example.org"), time.Now()
		time.AfterFunc(time.Minute, func() { begun = time.Now(); w.renew("mx2", second) })
		if took := w.takesUp(a, "mx2", second).Sub(begun); took > time.Second {
			t.Errorf("taken after %s", took)
		}
	})
}

// TestTarpitKeepsNoFilesWaiting: files that change while an endpoint keeps us waiting
// are read at once.
func TestTarpitKeepsNoFilesWaiting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 20 * time.Minute
		w.lineage("mx1", "192.0.2.25", "203.0.113.25")
		first := w.ca.issue(t, mx1)
		w.serve("mx1", first)
		server := w.services["203.0.113.25:25"]
		server.set(func(s *service) { s.banner = 30 * time.Second })
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		for n := range 4 {
			before := server.connections()
			next, begun := w.ca.issue(t, mx1), time.Now()
			go func() {
				for server.connections() == before { // until the next look
					time.Sleep(time.Second)
				}
				time.Sleep(time.Duration(n) * 100 * time.Millisecond)
				begun = time.Now()
				w.renew("mx1", next)
			}()
			if took := w.takesUp(a, "mx1", next).Sub(begun); took > time.Second {
				t.Errorf("taken after %s", took)
			}
			w.goOn(a, time.Hour, isSteady("mx1", next))
		}
	})
}

// quietly has staged files be left alone for long, by a clock that began as the
// disk's did, and returns when those of a lineage have been, by the bubble's.
func (w *world) quietly(quiet time.Duration, today time.Time) (settled func(Lineage) time.Time) {
	begun := time.Now()
	w.config.Quiet = quiet
	w.ahead(today.Sub(begun))
	return func(l Lineage) time.Time {
		key, err := os.Stat(l.Staged.Key) // the one that is written last
		if err != nil {
			w.t.Fatal(err)
		}
		return begun.Add(key.ModTime().Sub(today) + quiet)
	}
}

// TestChangedFilesGoFirst: groups that have nothing on their way, and whose servers
// take their time, keep no changed files waiting.
func TestChangedFilesGoFirst(t *testing.T) {
	for name, test := range map[string]struct{ quiet, after time.Duration }{
		"between looks":       {0, time.Second},
		"waiting for a look":  {0, 6 * time.Minute},
		"still being written": {20 * time.Minute, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			today := time.Now()
			inWorld(t, func(t *testing.T, w *world) {
				w.config.Timing.Poll = 3 * time.Hour
				w.config.Workers = 1
				settled := w.quietly(test.quiet, today)
				a, _ := adopted(w)
				defer w.close(a)
				time.AfterFunc(100*time.Millisecond, func() { a.routine <- struct{}{} }) // for good
				second := w.ca.issue(t, mx1)
				var written time.Time
				time.AfterFunc(test.after, func() { written = time.Now(); w.renew("mx1", second) })
				at := w.takesUp(a, "mx1", second)
				if late := at.Sub(later(written, settled(w.config.Lineages[0]))); late < 0 || late > time.Second {
					t.Errorf("taken %s after it had settled", late)
				}
			})
		})
	}
}

// TestFailedActionKeepsNoFilesWaiting: files that have settled are read then, though
// an action that failed is to be tried again later.
func TestFailedActionKeepsNoFilesWaiting(t *testing.T) {
	today := time.Now()
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 3 * time.Hour
		settled := w.quietly(20*time.Minute, today)
		a, _ := adopted(w)
		defer w.close(a)
		second, third := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			w.zone.Inject(memory.Fails(dnsprovider.Refused, errFull))
		}
		time.AfterFunc(time.Minute, func() { w.renew("mx1", third) })
		at := w.takesUp(a, "mx1", third)
		if late := at.Sub(settled(w.config.Lineages[0])); late < 0 || late > time.Second {
			t.Errorf("taken %s after it had settled", late)
		}
	})
}
