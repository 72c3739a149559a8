package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestTarpitKeepsNoSwapWaiting: one address of the endpoint holds its banner back
// for half a minute at each connection; the swap comes on time all the same, and
// is verified by this host alone.
func TestTarpitKeepsNoSwapWaiting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1", "192.0.2.25", "203.0.113.25")
		first := w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.services["203.0.113.25:25"].banner = 30 * time.Second
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)
		for n := range 5 { // the look at the tarpit is under way at other moments each time
			second := w.ca.issue(t, mx1)
			w.stage("mx1", second)
			time.Sleep(time.Duration(n) * 47 * time.Second)
			var ready, swapped, verified time.Time
			w.goOn(a, time.Hour, func(r Report) bool {
				l := r.State.Lineages["mx1"]
				if l.Successor == second.ID() && !l.ReadyAt.IsZero() {
					ready = l.ReadyAt
				}
				if l.Live == second.ID() && swapped.IsZero() {
					swapped = l.Swapped
				}
				verified = l.Verified
				return isSteady("mx1", second)(r)
			})
			if late := swapped.Sub(ready); late < 0 || late > time.Second {
				t.Errorf("swapped %s after it was ready", late)
			}
			if took := verified.Sub(swapped); took > 5*time.Second {
				t.Errorf("verified %s after the swap", took)
			}
		}
	})
}

// TestTarpitStarvesNobody: many groups that wait for tarpits keep none from its
// work, were they more than there are workers.
func TestTarpitStarvesNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Workers = 2
		for i := range 8 {
			w.lineage(fmt.Sprintf("tar%d", i), fmt.Sprintf("203.0.113.%d", i+1))
			w.services[fmt.Sprintf("203.0.113.%d:25", i+1)].banner = 30 * time.Second
			w.serve(fmt.Sprintf("tar%d", i), w.ca.issue(t, fmt.Sprintf("tar%d.example.org", i)))
		}
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		begun := time.Now()
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == first.ID() })
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("adopted after %s", took)
		}
		time.Sleep(5 * time.Minute)
		w.stage("mx1", second)
		var late time.Duration
		w.goOn(a, time.Hour, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			if l.Successor == second.ID() && !l.ReadyAt.IsZero() {
				late = -time.Until(l.ReadyAt)
			}
			return l.Live == second.ID()
		})
		if late > time.Second {
			t.Errorf("swapped %s late", late)
		}
	})
}

// TestSlowServersStarveNobody: groups whose DNS servers do not answer have workers
// of their own.
func TestSlowServersStarveNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Workers = 2
		a, _ := adopted(w)
		w.close(a)
		for i := range 6 {
			name := fmt.Sprintf("slow%d", i)
			w.lineage(name, fmt.Sprintf("203.0.113.%d", i+1))
			w.config.Lineages[len(w.config.Lineages)-1].Staged.Cert = ""
		}
		second := w.ca.issue(t, mx1)
		w.mu.Lock()
		w.onAsk = func(_ netip.AddrPort, q dns.Question) {
			if strings.Contains(q.Name, "slow") {
				time.Sleep(1500 * time.Millisecond) // an answer that takes its time, not silence
			}
		}
		w.mu.Unlock()
		a = w.open()
		defer w.close(a)
		w.stage("mx1", second)
		var ready time.Time
		r := w.goOn(a, time.Hour, func(r Report) bool {
			l, ours := r.State.Lineages["mx1"]
			if ours && l.Successor == second.ID() && !l.ReadyAt.IsZero() {
				ready = l.ReadyAt
			}
			return ours && l.Live == second.ID()
		})
		if late := r.State.Lineages["mx1"].Swapped.Sub(ready); late > time.Second {
			t.Errorf("swapped %s late", late)
		}
	})
}

// TestGroupsShareLookups: what groups of one zone have in common is asked for
// once, however many they are.
func TestGroupsShareLookups(t *testing.T) {
	shared := func(lineages int) (perZone, perOwner int) {
		inWorld(t, func(t *testing.T, w *world) {
			for i := range lineages {
				name := fmt.Sprintf("mx%d", i)
				w.lineage(name, fmt.Sprintf("192.0.2.%d", 100+i))
				w.serve(name, w.ca.issue(t, name+".example.org"))
			}
			a := w.open()
			defer w.close(a)
			looked := map[string]bool{}
			w.goOn(a, time.Minute, func(r Report) bool {
				looked[r.Lineages[0]] = true
				return len(looked) == lineages
			})
			perZone = w.questions(" example.org. NS") + w.questions(" example.org. DNSKEY") + w.questions(" ns1.example.org. ") + w.questions(" ns2.example.org. ")
			perOwner = w.questions("192.0.2.53 _25._tcp.mx0.example.org. TLSA")
		})
		return perZone, perOwner
	}
	zoneOne, ownerOne := shared(1)
	zoneMany, ownerMany := shared(12)
	if zoneMany > 2*zoneOne {
		t.Errorf("of the zone, 12 groups asked %d questions, one %d", zoneMany, zoneOne)
	}
	if ownerOne == 0 || ownerMany > ownerOne {
		t.Errorf("of one owner name, a server was asked %d times beside 11 other groups, %d times alone", ownerMany, ownerOne)
	}
}

// TestNobodySeesAnOldAnswer: look-ups are shared among groups that come due
// together, never with one's own last look.
func TestNobodySeesAnOldAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		g := a.of["mx1"]
		one, two := a.lookups(g), a.lookups(g)
		if one == two {
			t.Error("a group shared look-ups with itself")
		}
		other := &group{}
		if a.lookups(other) != two {
			t.Error("two groups that come due at once share nothing")
		}
		time.Sleep(shareFor)
		if a.lookups(&group{}) == two {
			t.Error("look-ups are shared for too long")
		}
	})
}

// TestOneGroupFails: what goes wrong in one group is no other's affair.
func TestOneGroupFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		w.close(a)
		w.lineage("bad", "203.0.113.1")
		w.serve("bad", w.ca.issue(t, "bad.example.org"))
		a = w.open()
		defer w.close(a)
		disk := a.rooms.Store
		a.rooms.Store = choosy{disk, "bad"}
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		if n := w.log.count("pass failed"); n != 1 {
			t.Errorf("the failure was logged %d times", n)
		}
		w.served("mx1", second)
	})
}

// TestStopsInTime: Run returns when its context ends, whatever is under way, and
// the action that was begun is not cut short.
func TestStopsInTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		w.services["192.0.2.25:25"].set(func(s *service) { s.banner = 30 * time.Second })
		w.zone.Inject(memory.Slow(time.Minute))
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		if err := a.Run(ctx, "", nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Minute || took > 61*time.Second {
			t.Errorf("it took %s to stop, with a change under way for %s", took, time.Minute)
		}
		if !slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
			t.Error("the change was cut short")
		}
	})
}

// TestActionsNotBegunAreLeft: a process that is told to stop does not begin with
// what it has planned; the next one goes on there.
func TestActionsNotBegunAreLeft(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a.rooms.Store = &stopping{Store: a.rooms.Store, stop: cancel}
		if _, err := a.Pass(ctx, "mx1"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if got, want := w.stands(owner25(mx1)), []tlsa.Association{record(t, first)}; !slices.Equal(got, want) {
			t.Errorf("the zone holds %v, want %v", got, want)
		}
		w.close(a)
		a = w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", second))
	})
}

// TestCutShort: a look that is cut short says nothing, and nothing is remembered.
func TestCutShort(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		for stop := 1; ; stop += 3 {
			ctx, cancel := context.WithCancel(t.Context())
			var asked atomic.Int32
			w.mu.Lock()
			w.onAsk = func(netip.AddrPort, dns.Question) {
				if int(asked.Add(1)) == stop {
					cancel()
				}
			}
			w.mu.Unlock()
			history := len(w.zone.History(owner25(mx1)))
			files := w.files()
			state, _, _ := a.State("mx1")
			_, err := a.Pass(ctx, "mx1")
			cancel()
			if int(asked.Load()) < stop {
				break // the look was over before
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped at question %d: %v", stop, err)
			}
			after, _, _ := a.State("mx1")
			if len(w.zone.History(owner25(mx1))) != history || after.Lineages["mx1"].Successor != state.Lineages["mx1"].Successor {
				t.Fatalf("stopped at question %d: something was done", stop)
			}
			if now := w.files(); now[journalIn(w.config.State)] != files[journalIn(w.config.State)] {
				t.Fatalf("stopped at question %d: something was remembered", stop)
			}
			if stop > 200 {
				t.Fatal("a look has no end")
			}
		}
		w.onAsk = nil
		w.goOn(a, time.Hour, isSteady("mx1", second))
	})
}

// choosy fails to save the groups of one lineage.
type choosy struct {
	Store
	not string
}

func (s choosy) Save(g journal.Group, stamp journal.Stamp) error {
	if slices.Contains(g.Lineages, s.not) {
		return errFull
	}
	return s.Store.Save(g, stamp)
}

// stopping has the process told to stop when it has saved.
type stopping struct {
	Store
	stop func()
}

func (s *stopping) Save(g journal.Group, stamp journal.Stamp) error {
	defer s.stop()
	return s.Store.Save(g, stamp)
}
