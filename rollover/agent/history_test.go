package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// happened is a history with names for pairs, a line an event, without its times.
func happened(events []rollover.Event, pairs map[string]certwatch.Pair) string {
	names := strings.NewReplacer()
	var short []string
	for name, p := range pairs {
		short = append(short, p.ID().Short(), name, p.Chain.SPKI()[:12], name)
	}
	if len(short) > 0 {
		names = strings.NewReplacer(short...)
	}
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s: %s\n", e.Lineage, e.Kind, names.Replace(e.Text))
	}
	return b.String()
}

// TestHistoryOfARenewal: every step is remembered once, by the process that made it and by
// those after it, and by one that only looks.
func TestHistoryOfARenewal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		second := w.ca.issue(t, mx1)
		before, err := a.History(time.Time{}, "mx1")
		if err != nil {
			t.Fatal(err)
		}
		w.stage("mx1", second)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		if err := a.Note(rollover.Event{At: a.Now(), Kind: rollover.Stopped, Text: "ends"}); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		pairs := map[string]certwatch.Pair{"A": first, "B": second}
		end := second.Chain.NotAfter().UTC().Format("2006-01-02 15:04:05Z")
		want := `
mx1 admitted: B is on its way: from the staged files, ends ` + end + `
mx1 published: _25._tcp.mx1.example.org.: +(3 1 1 B…)
mx1 converged: every name server gives what B needs
mx1 ready: no cache can be without what B needs
mx1 swapped: A -> B
mx1 verified: B is served here
mx1 retired: _25._tcp.mx1.example.org.: -(3 1 1 A…)
mx1 over: B is live, and nothing of another one is left; it took ` + tookOf(t, w) + `
 stopped: ends
`
		for name, open := range map[string]func(Config) (*Agent, error){"opened": Open, "read": OpenDry} {
			next, err := open(w.config)
			if err != nil {
				t.Fatal(err)
			}
			all, err := next.History(time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			var steps []rollover.Event
			for _, e := range all[len(before):] {
				if !e.OfWarnings() {
					steps = append(steps, e)
				}
			}
			if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), happened(steps, pairs)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			last := all[len(all)-1].At
			if late, err := next.History(last); err != nil || len(late) != 1 || late[0].Kind != rollover.Stopped {
				t.Errorf("%s: since then: %v, %v", name, late, err)
			}
			if _, err := next.History(last, "mx7"); !errors.Is(err, ErrUnknownLineage) {
				t.Errorf("%s: of a lineage that is not there: %v", name, err)
			}
			w.close(next)
		}
		for i, e := range before {
			if i > 0 && e.At.Before(before[i-1].At) {
				t.Errorf("%v comes after %v", e, before[i-1])
			}
		}
	})
}

// tookOf is how long the last rollover took, as the periods say.
func tookOf(t *testing.T, w *world) string {
	t.Helper()
	a, err := OpenDry(w.config)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close(a)
	state, _, err := a.State("mx1")
	if err != nil {
		t.Fatal(err)
	}
	all := state.Lineages["mx1"].Rollovers
	last := all[len(all)-1]
	return last.Ended.Sub(last.Began).Round(time.Second).String()
}

// TestHistoryOfAFailedSwap: what went wrong, that the pair before it is back, and the
// warning that came and went; each report has what happened in its pass.
func TestHistoryOfAFailedSwap(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var durable []rollover.Event
		w.config.Happened = func(events []rollover.Event) { durable = append(durable, events...) }
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		before, err := a.History(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.failing["reload"] = 1
		w.mu.Unlock()
		w.stage("mx1", second)
		var reported []rollover.Event
		w.goOn(a, 3*time.Hour, func(r Report) bool {
			reported = append(reported, r.Events...)
			return isSteady("mx1", second)(r)
		})
		events, err := a.History(time.Time{}, "mx1")
		if err != nil {
			t.Fatal(err)
		}
		events = events[len(before):]
		text := happened(events, map[string]certwatch.Pair{"A": first, "B": second})
		for _, want := range []string{"mx1 swap-failed: A -> B: installed, and then: ", "mx1 rolled-back: B -> A: ", "mx1 warning: swap-failed: ", "mx1 swapped: A -> B\n", "mx1 cleared: swap-failed: "} {
			if n := strings.Count(text, want); n != 1 {
				t.Errorf("%d times %q in\n%s", n, want, text)
			}
		}
		if n := strings.Count(text, "mx1 ready: "); n != 1 {
			t.Errorf("ready %d times\n%s", n, text)
		}
		pairs := map[string]certwatch.Pair{"A": first, "B": second}
		if got := happened(reported, pairs); got != text {
			t.Errorf("reports and journal differ: %s", cmp.Diff(text, got))
		}
		if got := happened(durable[len(before):], pairs); got != text {
			t.Errorf("what was told and the journal differ: %s", cmp.Diff(text, got))
		}
	})
}
