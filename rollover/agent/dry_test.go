package agent

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// unchanged wants nothing to change on the disk or in the zone meanwhile.
func (w *world) unchanged(what string, meanwhile func()) {
	w.t.Helper()
	files, history := w.files(), w.zone.History(owner25(mx1))
	commands := len(w.commands)
	meanwhile()
	if diff := cmp.Diff(files, w.files()); diff != "" {
		w.t.Errorf("%s changed files (-before +after):\n%s", what, diff)
	}
	if diff := cmp.Diff(history, w.zone.History(owner25(mx1))); diff != "" {
		w.t.Errorf("%s changed the zone (-before +after):\n%s", what, diff)
	}
	if len(w.commands) != commands {
		w.t.Errorf("%s ran %q", what, w.commands[commands:])
	}
}

func (w *world) openDry() *Agent {
	w.t.Helper()
	a, err := OpenDry(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// TestDry: looking changes nothing at all, with or without a journal, whatever
// would be done.
func TestDry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first, second, third := w.ca.issue(t, mx1), w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.unchanged("a look without a journal", func() {
			a := w.openDry()
			defer w.close(a)
			r := mustPass(t, a, "mx1")
			if len(r.Plan.Actions) != 1 || r.Plan.Actions[0] != (rollover.Adopt{Lineage: "mx1", Chain: first.ID()}) {
				t.Errorf("it would %v; %s", r.Plan.Actions, w.story(r))
			}
		})

		a := w.open()
		settled(t, a, "mx1")
		w.close(a)
		time.Sleep(5 * time.Minute)
		w.stage("mx1", second)
		w.unchanged("a look at a pair to come", func() {
			a := w.openDry()
			defer w.close(a)
			if _, err := a.Offer("mx1", third); err != nil {
				t.Fatal(err)
			}
			if err := a.Order("mx1", rollover.Orders{Retry: true}); err != nil {
				t.Fatal(err)
			}
			for range 3 { // each says the same
				r := mustPass(t, a, "mx1")
				publish, ok := r.Plan.Actions[0].(rollover.Publish)
				if !ok || !slices.Contains(publish.Added(), record(t, third)) {
					t.Errorf("it would %v; %s", r.Plan.Actions, w.story(r))
				}
				time.Sleep(time.Minute)
			}
			if s, _, _ := a.State("mx1"); s.Lineages["mx1"].Successor != "" {
				t.Error("it remembers what would be")
			}
			if err := a.Own("mx1", record(t, first)); err != nil {
				t.Error(err)
			}
			if err := a.Adopt("mx1", first); err != nil {
				t.Error(err)
			}
		})

		// looking locks nobody out
		dry := w.openDry()
		defer w.close(dry)
		a = w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", second))
	})
}

// TestDryTellsOfADamagedStash: what a dry agent has not put into the stash need not
// be there; what should be there must.
func TestDryTellsOfADamagedStash(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Phase == rollover.Published })
		if err := a.rooms.Stash.Remove(second.ID()); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		w.config.Lineages[0].Staged.Cert = ""
		dry := w.openDry()
		defer w.close(dry)
		if got := waits(mustPass(t, dry, "mx1"), "mx1"); !slices.Contains(got, rollover.CodeStashUnreadable) {
			t.Errorf("waits for %v", got)
		}
	})
}
