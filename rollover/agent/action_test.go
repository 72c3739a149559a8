package agent

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestNoProviderHoldsTheZone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Providers[0].Zone = "example.net."
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		r := w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Successor == second.ID() && !r.Changed })
		if got := waits(r, "mx1"); !slices.Contains(got, rollover.CodeNoProvider) {
			t.Errorf("waits for %v", got)
		}
		time.Sleep(time.Hour)
		w.goOn(a, time.Hour, func(r Report) bool { return !r.Changed })
		w.served("mx1", first)

		// somebody publishes it by hand
		w.publish(owner25(mx1), record(t, second))
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
	})
}

func TestProviderRefusesForAWhile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		for range 8 {
			w.zone.Inject(memory.Fails(dnsprovider.Refused, errors.New("no rights")))
		}
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		var failures []time.Time
		w.goOn(a, time.Hour, func(r Report) bool {
			for _, err := range r.Failed {
				if !errors.Is(err, dnsprovider.ErrRefused) {
					t.Errorf("failed: %v", err)
				}
				failures = append(failures, r.At)
			}
			return isSteady("mx1", second)(r)
		})
		w.served("mx1", second)
		if len(failures) != 8 {
			t.Fatalf("%d failures, want 8", len(failures))
		}
		for i := 1; i < len(failures); i++ {
			if wait := failures[i].Sub(failures[i-1]); wait < min(time.Second<<i, time.Minute) || wait > 2*time.Minute {
				t.Errorf("try %d came %s after the one before", i+1, wait)
			}
		}
		if n := w.log.count("action failed"); n != 1 {
			t.Errorf("the same failure was logged %d times\n%s", n, w.log)
		}
	})
}

func TestReplyIsLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		w.zone.Inject(memory.LostReply())
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		w.served("mx1", second)
		n := 0
		for _, v := range w.zone.History(owner25(mx1)) {
			if v.By == memory.ByProvider {
				n++
			}
		}
		if n != 2 {
			t.Errorf("the provider made %d changes, want one in and one out", n)
		}
	})
}

// TestProviderIsSlow: its own time limit ends a call that does not end.
func TestProviderIsSlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		w.zone.Inject(memory.Slow(time.Hour), memory.SlowToRead(time.Hour))
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		begun := time.Now()
		w.goOn(a, time.Hour, isSteady("mx1", second))
		if took := time.Since(begun); took > 15*time.Minute {
			t.Errorf("it took %s", took)
		}
		w.served("mx1", second)
	})
}

// A stammering provider gives other than one result a change.
type stammering struct {
	dnsprovider.Provider
	results []error
}

func (s stammering) Apply(context.Context, string, []dnsprovider.Change) []error { return s.results }

func TestProviderOfFewWords(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Providers[0].Provider = stammering{w.zone, nil}
		a, first := adopted(w)
		defer w.close(a)
		w.stage("mx1", w.ca.issue(t, mx1))
		r := w.goOn(a, 10*time.Minute, func(r Report) bool { return len(r.Failed) > 0 })
		if want := "publish _25._tcp.mx1.example.org.: provider ns1: the provider does not say what became of the change"; r.Failed[0].Error() != want {
			t.Errorf("got %v, want %s", r.Failed[0], want)
		}
		w.served("mx1", first)
	})
}

func TestProviderOfManyWords(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Providers[0].Provider = stammering{w.zone, make([]error, 7)}
		a, _ := adopted(w)
		defer w.close(a)
		w.stage("mx1", w.ca.issue(t, mx1))
		w.goOn(a, 10*time.Minute, func(r Report) bool { return r.Changed })
	})
}

// TestReloadFails: the pair before is put back, the new one is held, and tried
// again when a person says so.
func TestReloadFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		w.mu.Lock()
		w.failing["reload"] = 1
		w.mu.Unlock()
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		r := w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Held != nil && !r.Changed })
		l := r.State.Lineages["mx1"]
		if l.Live != first.ID() || l.Successor != second.ID() || l.Swapping != nil {
			t.Errorf("after the way back: %+v", l)
		}
		if !strings.Contains(l.Held.Text, "it does not want to") {
			t.Errorf("it says %q, and not what the command said", l.Held.Text)
		}
		if got := w.presents("192.0.2.25:25"); got != first.Chain.LeafID() {
			t.Errorf("the server presents %s", got)
		}
		for _, record := range []tlsa.Association{record(t, first), record(t, second)} {
			if !slices.Contains(w.stands(owner25(mx1)), record) {
				t.Errorf("%s is not published", record)
			}
		}
		w.retry(a, "mx1")
		w.goOn(a, 10*time.Minute, isSteady("mx1", second))
		w.served("mx1", second)
	})
}

// TestServerIgnoresReload: nobody notices but the look at what is served.
func TestServerIgnoresReload(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		s := w.services["192.0.2.25:25"]
		s.set(func(s *service) { s.stuck = true })
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		var swapped, back time.Time
		r := w.goOn(a, 10*time.Minute, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			if l.Swapping != nil && swapped.IsZero() {
				swapped = r.At
			}
			back = r.At
			return l.Held != nil
		})
		if took, want := back.Sub(swapped), w.config.Timing.Settle; took < want || took > want+5*time.Second {
			t.Errorf("it went back %s after the swap, want %s", took, want)
		}
		if !strings.Contains(r.State.Lineages["mx1"].Held.Text, "still presents") {
			t.Errorf("it says %q", r.State.Lineages["mx1"].Held.Text)
		}
		if got := r.State.Lineages["mx1"].Live; got != first.ID() {
			t.Errorf("live is %s, want %s", got, first.ID())
		}
		s.set(func(s *service) { s.stuck = false })
		w.retry(a, "mx1")
		w.goOn(a, 10*time.Minute, isSteady("mx1", second))
		w.served("mx1", second)
	})
}

func TestCheckFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		w.close(a)
		w.config.Lineages[0].Check = [][]string{{"check", "mx1"}}
		w.failing["check"] = 1
		a = w.open()
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		r := w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Held != nil })
		if l := r.State.Lineages["mx1"]; l.Live != first.ID() || l.Swapping != nil {
			t.Errorf("after a failed check: %+v", l)
		}
		if slices.Contains(w.commands, "reload mx1") {
			t.Error("something was reloaded")
		}
		w.retry(a, "mx1")
		w.goOn(a, 10*time.Minute, isSteady("mx1", second))
	})
}

// retry has a person say that a held swap is to be tried again.
func (w *world) retry(a *Agent, name string) {
	w.t.Helper()
	if err := a.Order(name, rollover.Orders{Retry: true}); err != nil {
		w.t.Fatal(err)
	}
}

// TestFreezeDuringLook: a swap that the pass under way might begin is kept back.
func TestFreezeDuringLook(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, time.Hour, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			return !l.ReadyAt.IsZero() && l.Wake.Equal(l.ReadyAt)
		})
		time.Sleep(time.Until(r.State.Lineages["mx1"].ReadyAt))
		var once sync.Once
		w.onAsk = func(netip.AddrPort, dns.Question) {
			once.Do(func() {
				if err := a.Order("mx1", rollover.Orders{Freeze: &rollover.Freeze{}}); err != nil {
					t.Error(err)
				}
			})
		}
		for range 3 {
			r, err := a.Pass(t.Context(), "mx1")
			if err != nil {
				t.Fatal(err)
			}
			if l := r.State.Lineages["mx1"]; l.Live != first.ID() || l.Frozen == nil {
				t.Errorf("not frozen\n%s", w.story(r))
			}
		}
	})
}
