package agent

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// running has an agent run all its lineages until the function that it returns is called.
func (w *world) running(a *Agent) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx, "", nil) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

// TestFollow: a command watches a rollover that somebody else's Run makes.
func TestFollow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		defer w.running(a)()
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		var phases []rollover.Phase
		err := a.Follow(t.Context(), "mx1", func(r Report) bool {
			if phase := r.State.Lineages["mx1"].Phase; !slices.Contains(phases, phase) {
				phases = append(phases, phase)
			}
			return isSteady("mx1", second)(r)
		})
		if err != nil || !slices.Contains(phases, rollover.Published) || !slices.Contains(phases, rollover.Retiring) {
			t.Errorf("saw %v, %v", phases, err)
		}
		if err := a.Follow(t.Context(), "mx9", nil); !errors.Is(err, ErrUnknownLineage) {
			t.Errorf("a lineage that is not there: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Follow(ctx, "mx1", func(Report) bool { return false }); err != nil {
			t.Errorf("given up: %v", err)
		}
	})
}

// TestFollowFromNowOn: a pass that is under way when somebody begins to follow has not
// heard what was said before it, and is not shown.
func TestFollowFromNowOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		w.slow[ns2At] = time.Second
		begun := make(chan struct{}, 1)
		w.onAsk = func(at netip.AddrPort, _ dns.Question) {
			select {
			case begun <- struct{}{}:
			default:
			}
		}
		defer w.running(a)()
		<-begun
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		err := a.Follow(t.Context(), "mx1", func(r Report) bool {
			if l := r.State.Lineages["mx1"]; l.Successor != second.ID() {
				t.Errorf("the first pass that is shown has not heard of the pair: %+v", l)
			}
			return true
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestFollowToTheEnd: who follows an agent that is closed learns it.
func TestFollowToTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		stop := w.running(a)
		ended := make(chan error)
		go func() { ended <- a.Follow(t.Context(), "mx1", func(Report) bool { return false }) }()
		synctest.Wait()
		stop()
		w.close(a)
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("follow ended with %v", err)
		}
	})
}

// TestPassBesideRun: a pass that a command makes is planned by at once.
func TestPassBesideRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Poll = 5 * time.Minute
		a, _ := adopted(w)
		defer w.close(a)
		defer w.running(a)()
		time.Sleep(time.Minute)
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Pass(t.Context(), "mx1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // less than a poll
		if state, _, _ := a.State("mx1"); state.Lineages["mx1"].Live != second.ID() {
			t.Errorf("not swapped in: %s", w.log)
		}
	})
}

func TestAlive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Alive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody makes passes, and it says %v", err)
		}
		stop := w.running(a)
		defer func() { stop() }()
		for range 3 {
			if err := a.Alive(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		if next := time.Until(a.NextPass()); next <= 0 || next > time.Minute {
			t.Errorf("the next pass is due in %s", next)
		}
	})
}

// TestReconfigure: another configuration goes on with what is remembered and
// handed in, and a bad one changes nothing.
func TestReconfigure(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		stop := w.running(a)
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		ready := func(a *Agent) time.Time {
			state, _, err := a.State("mx1")
			if err != nil {
				t.Fatal(err)
			}
			return state.Lineages["mx1"].ReadyAt
		}
		before := ready(a)
		stop()
		elsewhere := w.config
		elsewhere.State += "2"
		if _, err := a.With(elsewhere); err == nil {
			t.Error("the state directory was changed while it ran")
		}
		if err := a.Order("mx1", rollover.Orders{Freeze: &rollover.Freeze{}}); err != nil {
			t.Fatal(err)
		}
		w.lineage("mx2", "192.0.2.26")
		third := w.ca.issue(t, "mx2.example.org")
		w.serve("mx2", third)
		b, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(b)
		if again := ready(b); before.IsZero() || !again.Equal(before) {
			t.Errorf("ready at %s, was %s", again, before)
		}
		stop = w.running(b)
		time.Sleep(5 * time.Minute)
		state, _, _ := b.State("mx1")
		other, _, _ := b.State("mx2")
		if l := state.Lineages["mx1"]; l.Live != first.ID() || l.Frozen == nil || other.Lineages["mx2"].Live != third.ID() {
			t.Errorf("%+v, %+v", l, other.Lineages["mx2"])
		}
		if err := b.Order("mx1", rollover.Orders{Thaw: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if state, _, _ := b.State("mx1"); state.Lineages["mx1"].Live != second.ID() {
			t.Errorf("not swapped in after the thaw: %s", w.log)
		}
	})
}

// TestDryBesideRun: what would be done is found out without doing it.
func TestDryBesideRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		defer w.running(a)()
		dry, err := a.Dry()
		if err != nil {
			t.Fatal(err)
		}
		second := w.ca.issue(t, mx1)
		if _, err := dry.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		r, err := dry.Pass(t.Context(), "mx1")
		if err != nil || !r.Changed || len(r.Plan.Actions) == 0 {
			t.Errorf("would do %v, %v", r.Plan.Actions, err)
		}
		w.close(dry)
		time.Sleep(5 * time.Minute)
		if got := w.stands(owner25(mx1)); len(got) != 1 || got[0] != record(t, first) {
			t.Errorf("the zone holds %v", got)
		}
	})
}

// TestRollbackByOrder: the pair to go back to is read at once.
func TestRollbackByOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		w.goOn(a, time.Hour, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			return l.Live == second.ID() && l.Swapping == nil
		})
		if why, err := a.Objections("mx1", rollover.Orders{Rollback: true}); err != nil || len(why) > 0 {
			t.Fatalf("%v, %v", why, err)
		}
		if err := a.Order("mx1", rollover.Orders{Rollback: true}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		w.goOn(a, time.Hour, func(r Report) bool {
			for _, reason := range r.State.Lineages["mx1"].Waiting {
				if reason.Code == rollover.CodeStashUnreadable {
					t.Errorf("%+v", reason)
				}
			}
			return r.State.Lineages["mx1"].Live == first.ID()
		})
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("back after %s", took)
		}
	})
}
