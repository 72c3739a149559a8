package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// slowProvider takes its time for a change.
type slowProvider struct {
	dnsprovider.Provider
	gate chan struct{}
}

func (p slowProvider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	p.gate <- struct{}{}
	<-p.gate
	return p.Provider.Apply(ctx, zone, changes)
}

// TestReconfigureDuringPass: a pass that a command makes comes to its end before
// another configuration goes on from there, and the command goes on with that.
func TestReconfigureDuringPass(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		fast := w.config.Providers
		a, _ := adopted(w)
		w.config.Providers = []Provider{{Name: "ns1", Zone: "example.org.", Provider: slowProvider{w.zone, gate}}}
		slow, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		second := w.ca.issue(t, mx1)
		if _, err := slow.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		passed := make(chan error)
		go func() {
			_, err := slow.Pass(t.Context(), "mx1")
			passed <- err
		}()
		<-gate // the change is on its way

		w.config.Providers = fast
		changed := make(chan *Agent)
		go func() {
			next, err := slow.With(w.config)
			if err != nil {
				t.Error(err)
			}
			changed <- next
		}()
		synctest.Wait()
		select {
		case <-changed:
			t.Fatal("two agents work at once")
		default:
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := slow.Alive(ctx); err != nil {
			t.Errorf("while the pass is waited for: %v", err)
		}
		gate <- struct{}{}
		if err := <-passed; err != nil {
			t.Error(err)
		}
		next := <-changed
		defer w.close(next)
		known, err := next.rooms.Store.Load()
		if err != nil {
			t.Fatal(err)
		}
		for what, l := range map[string]rollover.Ledger{"in memory": next.of["mx1"].state.Owners[owner25(mx1)], "durable": known.State([]string{"mx1"}, []tlsa.Owner{owner25(mx1)}).Owners[owner25(mx1)]} {
			if len(l.Ours) != 2 {
				t.Errorf("%s, of what the pass published: %v", what, l.Ours)
			}
		}

		if err := a.Order("mx1", rollover.Orders{Freeze: &rollover.Freeze{}}); err != nil {
			t.Error(err)
		}
		if r, err := a.Pass(t.Context(), "mx1"); err != nil || r.State.Lineages["mx1"].Frozen == nil {
			t.Errorf("a pass that the first agent is asked for: %+v, %v", r.State.Lineages["mx1"], err)
		}
		for _, each := range []*Agent{a, slow, next} {
			if s, _, err := each.State("mx1"); err != nil || s.Lineages["mx1"].Frozen == nil {
				t.Errorf("it does not know what the last one does: %v", err)
			}
		}
	})
}

// TestJournalInItsPlace: a journal that was removed is missed by every agent that goes
// on with it.
func TestJournalInItsPlace(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		next, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(next)
		for _, each := range []*Agent{a, next} {
			if err := each.Journal(); err != nil {
				t.Errorf("in its place: %v", err)
			}
		}
		if err := os.Remove(filepath.Join(w.config.State, "journal.db")); err != nil {
			t.Fatal(err)
		}
		for _, each := range []*Agent{a, next} {
			if err := each.Journal(); !errors.Is(err, journal.ErrGone) {
				t.Errorf("removed: %v", err)
			}
		}
	})
}

// TestFollowAcross: who follows passes goes on with those of another configuration,
// until the lineage is none of it.
func TestFollowAcross(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		w.lineage("mx2", "192.0.2.26")
		w.serve("mx2", w.ca.issue(t, "mx2.example.org"))
		passes := make(chan Report, 100)
		ended := make(chan error)
		go func() { ended <- a.Follow(t.Context(), "mx1", func(r Report) bool { passes <- r; return false }) }()
		for range 3 {
			stop := w.running(a)
			<-passes
			stop()
			next, err := a.With(w.config)
			if err != nil {
				t.Fatal(err)
			}
			a = next
		}
		defer func() { w.close(a) }()
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		default:
		}
		w.config.Lineages = w.config.Lineages[1:]
		next, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		a = next
		if err := <-ended; !errors.Is(err, ErrUnknownLineage) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestAliveWhileEnding: passes that come to their end are no reason to be taken for
// dead, however long that takes.
func TestAliveWhileEnding(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		a, _ := adopted(w)
		w.config.Providers = []Provider{{Name: "ns1", Zone: "example.org.", Provider: slowProvider{w.zone, gate}}}
		a, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { w.close(a) }()
		if _, err := a.Offer("mx1", w.ca.issue(t, mx1)); err != nil {
			t.Fatal(err)
		}
		stop := w.running(a)
		<-gate
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Alive(ctx); err != nil {
			t.Error(err)
		}
		gate <- struct{}{}
		<-stopped
	})
}
