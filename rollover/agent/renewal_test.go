package agent

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const mx1 = "mx1.example.org"

// adopted is a world whose lineage mx1 serves a pair that an agent has adopted.
func adopted(w *world) (*Agent, certwatch.Pair) {
	w.t.Helper()
	w.lineage("mx1")
	first := w.ca.issue(w.t, mx1)
	w.serve("mx1", first)
	a := w.open()
	w.goOn(a, time.Minute, isSteady("mx1", first))
	time.Sleep(5 * time.Minute) // until the unknown first version is dead
	return a, first
}

// served wants a pair, and no other, to be presented and published.
func (w *world) served(name string, p certwatch.Pair) {
	w.t.Helper()
	for address, s := range w.services {
		if got := w.presents(address); s.path == w.paths[name] && got != p.Chain.LeafID() {
			w.t.Errorf("%s presents %s, want %s", address, got, p.Chain.LeafID())
		}
	}
	if got, want := w.stands(owner25(name+".example.org")), []tlsa.Association{record(w.t, p)}; !slices.Equal(got, want) {
		w.t.Errorf("the zone holds %v, want %v", got, want)
	}
}

func TestRenewal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		begun := time.Now()
		var published, swapped time.Time
		w.goOn(a, 10*time.Minute, func(r Report) bool {
			if published.IsZero() && slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
				published = time.Now()
			}
			if swapped.IsZero() && r.State.Lineages["mx1"].Live == second.ID() {
				swapped = time.Now()
			}
			return isSteady("mx1", second)(r)
		})
		if took := published.Sub(begun); took > time.Minute+time.Second {
			t.Errorf("the staged pair was noticed after %s, want a poll at most", took)
		}
		// ns2 follows after 2 s, which is noticed within a second
		if took, want := swapped.Sub(published), 2*time.Second+ipub; took < want || took > want+2*time.Second {
			t.Errorf("swapped %s after it was published, want %s and little more", took, want)
		}
		w.served("mx1", second)
		if state, _, err := a.State("mx1"); err != nil || state.Lineages["mx1"].Live != second.ID() {
			t.Errorf("state: %+v, %v", state.Lineages["mx1"], err)
		}

		third := w.ca.issue(t, mx1)
		w.stage("mx1", third)
		w.goOn(a, 10*time.Minute, isSteady("mx1", third))
		w.served("mx1", third)
		want := []tlsa.ChainID{second.ID(), third.ID()} // the one before is there to go back to
		slices.Sort(want)
		w.goOn(a, time.Hour, func(Report) bool {
			ids, err := a.rooms.Stash.(certwatch.Stash).List()
			return err == nil && slices.Equal(ids, want)
		})
		if _, err := a.rooms.Stash.Get(first.ID()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the first pair: %v", err)
		}
	})
}

// TestOfferIsSeenToAtOnce: nobody waits for a poll whom a person or a hook has
// handed a pair.
func TestOfferIsSeenToAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		var handed, published time.Time
		time.AfterFunc(90*time.Second, func() {
			handed = time.Now()
			if _, err := a.Offer("mx1", second); err != nil {
				t.Error(err)
			}
		})
		w.goOn(a, 10*time.Minute, func(r Report) bool {
			if published.IsZero() && slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
				published = time.Now()
			}
			return isSteady("mx1", second)(r)
		})
		if took := published.Sub(handed); took > time.Second {
			t.Errorf("published %s after it was handed in", took)
		}
		w.served("mx1", second)
	})
}
