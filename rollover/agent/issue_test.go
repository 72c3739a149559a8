package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

const day = 24 * time.Hour

// another is true once another pair than some is live, and nothing is left to do.
func another(than ...certwatch.Pair) func(Report) bool {
	return func(r Report) bool {
		l := r.State.Lineages["mx1"]
		return l.Live != "" && l.Phase == rollover.Steady && !r.Changed && !slices.ContainsFunc(than, func(p certwatch.Pair) bool { return p.ID() == l.Live })
	}
}

// stay runs the agent for a time.
func (w *world) stay(a *Agent, d time.Duration) (last Report) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	if err := a.Run(ctx, "", func(r Report) bool { last = r; return false }); err != nil {
		w.t.Fatal(err)
	}
	return last
}

// inOrderedWorld has a lineage whose certificates are ordered and last nine days; the
// first is served, and no order is due for days.
func inOrderedWorld(t *testing.T, test func(t *testing.T, w *world, c *aCA, first certwatch.Pair)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Timing.Look, w.config.Timing.Poll = 6*time.Hour, 6*time.Hour
		c := newACA(w, 9*day)
		w.orders(w.lineage("mx1"), c)
		first := w.ca.issueFor(t, newKey(t), 9*day, mx1)
		w.serve("mx1", first)
		test(t, w, c, first)
	})
}

// TestOrdersBySchedule: again and again, a certificate is ordered when a third of the
// lifetime of the one before is left, of a new key each time, and brought into service.
func TestOrdersBySchedule(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		seen := []certwatch.Pair{first}
		for n := range 4 {
			r := w.goOn(a, 7*day, another(seen...))
			pair, err := a.rooms.Stash.Get(r.State.Lineages["mx1"].Live)
			if err != nil {
				t.Fatal(err)
			}
			before := seen[len(seen)-1]
			if got := c.ordered(); got != n+1 {
				t.Fatalf("%d orders for %d certificates", got, n+1)
			}
			due := before.Chain.NotAfter().Add(-(9*day + time.Minute) / 3)
			if late := c.at[n].Sub(due); late < 0 || late > 2*time.Second {
				t.Errorf("ordered %s after it was due", late)
			}
			if r := c.orders[n]; !slices.Equal(r.Names, []string{mx1}) || r.Replaces == nil || !r.Replaces.Equal(before.Chain.Leaf()) {
				t.Errorf("ordered for %v, in place of %v", r.Names, r.Replaces)
			}
			for _, other := range seen {
				if other.Chain.SPKI() == pair.Chain.SPKI() {
					t.Error("a key was used again")
				}
			}
			w.served("mx1", pair)
			seen = append(seen, pair)
		}
	})
}

// TestOrderQueues: a pair that was ordered queues behind a successor that is
// published, as one in the staged files does.
func TestOrderQueues(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(10 * time.Minute)
		second := w.ca.issueFor(t, newKey(t), 9*day, mx1)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		w.goOn(a, time.Hour, func(r Report) bool {
			return r.State.Lineages["mx1"].Successor == second.ID() && len(w.stands(owner25(mx1))) == 2
		})
		time.Sleep(5 * time.Second)
		w.stay(a, 5*time.Second)
		third, err := a.IssueNow(t.Context(), "mx1")
		if err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Queued != "" })
		if l := r.State.Lineages["mx1"]; l.Successor != second.ID() || l.Queued != third.ID() {
			t.Errorf("successor %s, queued %s, want %s and %s", l.Successor.Short(), l.Queued.Short(), second.ID().Short(), third.ID().Short())
		}
		w.goOn(a, time.Hour, isSteady("mx1", third))
	})
}

// TestOrderWhereThereIsNone: a host that serves nothing yet gets its first certificate.
func TestOrderWhereThereIsNone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := newACA(w, 9*day)
		w.orders(w.lineage("mx1"), c)
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, another())
		if n := c.ordered(); n != 1 || c.orders[0].Replaces != nil {
			t.Errorf("%d orders, in place of %v", n, c.orders[0].Replaces)
		}
	})
}

// TestNothingIsOrderedBeforeAdoption: what is served has to be taken over first.
func TestNothingIsOrderedBeforeAdoption(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.write(w.paths["mx1"], append(w.ca.issue(t, mx1).Key.PEM(), first.ChainPEM()...)) // no pair, so that nothing can be adopted
		a := w.open()
		defer w.close(a)
		r := w.stay(a, 2*day)
		if n := c.ordered(); n != 0 {
			t.Errorf("%d orders", n)
		}
		if d := rollover.Describe(r.State, r.Policy, r.At)[0].Renewal; d == nil || d.At != nil || d.Reason != "no pair is live yet: what is served comes first" {
			t.Errorf("status says %+v", d)
		}
	})
}

// TestOrdersBackOff: a minute, doubled up to a day; the same over restarts, however
// often; then all is well, and forgotten.
func TestOrdersBackOff(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		c.fail = func(int) error { return errors.New("the CA is down") }
		a := w.open()
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.stay(a, 6*day+time.Minute-time.Hour) // due in less than an hour
		w.close(a)
		begun := time.Now()
		for time.Since(begun) < 70*time.Minute { // a restart every minute
			a = w.open()
			w.stay(a, time.Minute)
			w.close(a)
		}
		if n := c.ordered(); n < 4 || n > 5 { // 1, 2, 4, 8, 16 minutes after an hour, each up to a quarter less
			t.Errorf("%d orders in ten minutes: %v", n, c.at)
		}
		for i := 1; i < len(c.at); i++ {
			wait := time.Minute << (i - 1)
			if got := c.at[i].Sub(c.at[i-1]); got < wait*3/4 || got > wait+61*time.Second {
				t.Errorf("%s after %d that failed, want %s or up to a quarter less", got, i, wait)
			}
		}
		a = w.open()
		defer w.close(a)
		r := w.stay(a, day)
		if got := warned(r, rollover.CodeOrderFailed); got == "" || !strings.Contains(got, "the CA is down") {
			t.Errorf("the warning says %q", got)
		}
		c.set(func(c *aCA) { c.fail = nil })
		r = w.goOn(a, 25*time.Hour, another(first))
		if got := warned(r, rollover.CodeOrderFailed); got != "" {
			t.Errorf("still told: %s", got)
		}
		if i := a.desk.of("mx1"); i.Tries != 0 || i.Err != "" {
			t.Errorf("still remembered: %+v", i)
		}
	})
}

func warned(r Report, code rollover.Code) string {
	for _, v := range r.State.Lineages["mx1"].Warnings {
		if v.Code == code {
			return string(v.Severity) + ": " + v.Text
		}
	}
	return ""
}

// TestRateIsLimited: the time that a CA names is respected, by a person, too.
func TestRateIsLimited(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		var until time.Time
		c.fail = func(n int) error {
			if n == 1 {
				until = time.Now().Add(7 * time.Hour)
				return fmt.Errorf("order: %w", &certwatch.LaterError{Until: until, Err: errors.New("too many certificates")})
			}
			return nil
		}
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.stay(a, 6*day+time.Hour)
		if n := c.ordered(); n != 1 {
			t.Fatalf("%d orders", n)
		}
		_, err := a.IssueNow(t.Context(), "mx1")
		if err == nil || !strings.Contains(err.Error(), "too many certificates") || !strings.Contains(err.Error(), "wants no other order before "+until.UTC().Format(time.RFC3339)) || c.ordered() != 1 {
			t.Errorf("a person is told: %v, after %d orders", err, c.ordered())
		}
		w.goOn(a, day, another(first))
		if late := c.at[1].Sub(until); late < 0 || late > time.Second {
			t.Errorf("ordered %s after the CA lets us", late)
		}
	})
}

// TestNoPassWaitsForAnOrder: passes go on while a CA takes its time; and no second order
// is placed.
func TestNoPassWaitsForAnOrder(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.config.Timing.Look, w.config.Timing.Poll = time.Minute, time.Minute
		c.slow = 15 * time.Minute
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(6*day - 10*time.Minute)
		begun, last, most := time.Now(), time.Now(), time.Duration(0)
		w.goOn(a, time.Hour, func(r Report) bool {
			most, last = max(most, time.Since(last)), time.Now()
			return r.State.Lineages["mx1"].Successor != ""
		})
		if took := time.Since(begun); took < 15*time.Minute || most > 61*time.Second || c.ordered() != 1 {
			t.Errorf("after %s, passes up to %s apart, %d orders", took, most, c.ordered())
		}
	})
}

// TestOrderIsCutOff: the program ends in the middle of an order: it ends with it,
// and the next start orders again, after the back-off.
func TestOrderIsCutOff(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		c.slow = 15 * time.Minute
		a := w.open()
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.stay(a, 6*day+5*time.Minute)
		if c.ordered() != 1 {
			t.Fatalf("%d orders", c.ordered())
		}
		ended := time.Now()
		w.close(a)
		if took := time.Since(ended); took > time.Second {
			t.Errorf("it took %s to end", took)
		}
		c.set(func(c *aCA) { c.slow = 0 })
		a = w.open()
		defer w.close(a)
		if i := a.desk.of("mx1"); i.Tries != 1 || i.Err != cutOff {
			t.Errorf("remembered: %+v", i)
		}
		w.goOn(a, time.Hour, another(first))
		if c.ordered() != 2 {
			t.Errorf("%d orders", c.ordered())
		}
	})
}

// TestOrderGoesOnWithAnotherConfiguration: an order is none the worse for one in which
// its lineage is the same; for other names it is given up, and made anew at once.
func TestOrderGoesOnWithAnotherConfiguration(t *testing.T) {
	for name, names := range map[string][]string{"the same names": {mx1}, "other names": {mx1, "mail.example.org"}} {
		t.Run(name, func(t *testing.T) {
			inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
				c.slow = 10 * time.Minute
				a := w.open()
				w.goOn(a, time.Hour, isSteady("mx1", first))
				w.stay(a, 6*day+5*time.Minute)
				w.config.Lineages = slices.Clone(w.config.Lineages)
				w.config.Lineages[0].Names = names
				begun := time.Now()
				next, err := a.With(w.config)
				if err != nil {
					t.Fatal(err)
				}
				defer w.close(next)
				if took := time.Since(begun); took > time.Second {
					t.Errorf("the configuration waited for the order: %s", took)
				}
				r := w.goOn(next, time.Hour, another(first))
				pair, err := next.rooms.Stash.Get(r.State.Lineages["mx1"].Live)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(pair.Chain.Names(), names) || c.ordered() != len(names) {
					t.Errorf("for %v, after %d orders", pair.Chain.Names(), c.ordered())
				}
			})
		})
	}
}

// TestNamesChange: other names are a new order, at once; and once.
func TestNamesChange(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		c.alter = func(names []string) []string { return append(slices.Clone(names), "surplus.example.org") }
		a := w.open()
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.config.Lineages = slices.Clone(w.config.Lineages)
		w.config.Lineages[0].Names = []string{mx1, "mail.example.org"}
		next, err := a.With(w.config)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		w.goOn(next, time.Hour, another(first))
		w.close(next)
		if c.ordered() != 1 || c.at[0].Sub(begun) > time.Minute {
			t.Fatalf("%d orders, the first after %s", c.ordered(), c.at[0].Sub(begun))
		}
		next = w.open() // what a CA makes of the names is its affair
		defer w.close(next)
		w.stay(next, 5*day)
		if c.ordered() != 1 {
			t.Errorf("%d orders", c.ordered())
		}
	})
}

// TestIssuerNamesTheTime: it is asked again when it wants to be, and heard.
func TestIssuerNamesTheTime(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		at := time.Now().Add(5 * day)
		c.says = func() certwatch.Renewal {
			return certwatch.Renewal{At: at, Again: time.Now().Add(6 * time.Hour), Reason: "the CA wants it"}
		}
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		r := w.stay(a, day)
		if n := c.asks(); n < 4 || n > 5 {
			t.Errorf("asked %d times in a day", n)
		}
		if d := rollover.Describe(r.State, r.Policy, r.At)[0].Renewal; d.At == nil || !d.At.Equal(at) || d.Reason != "the CA wants it" {
			t.Errorf("status says %+v", d)
		}
		c.set(func(*aCA) { at = time.Now().Add(-time.Hour) }) // all certificates are revoked
		w.stay(a, 7*time.Hour)
		if n := c.ordered(); n != 1 {
			t.Errorf("%d orders", n)
		}
		w.goOn(a, time.Hour, another(first))
		w.stay(a, 17*time.Hour) // it says so of the new one, too: no storm
		if n := c.ordered(); n > 2 {
			t.Errorf("%d orders", n)
		}
	})
}

// TestRefusedPairIsNoStorm: a pair that the rules refuse is ordered again some time, not
// at once.
func TestRefusedPairIsNoStorm(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		c.alter = func([]string) []string { return []string{"mx9.example.org"} }
		w.config.Lineages[0].Policy.Scheme = rollover.Scheme{EE: true, TA: true}
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == first.ID() })
		r := w.stay(a, 8*day)
		if n := c.ordered(); n < 2 || n > 4 {
			t.Errorf("%d orders", n)
		}
		if got := warned(r, rollover.CodeNameMissing); got == "" {
			t.Errorf("nobody is told why it is not taken\n%s", w.story(r))
		}
	})
}

// TestJournalThatTakesNoOrder: nothing is ordered that cannot be written down, and
// nobody tries without a pause.
func TestJournalThatTakesNoOrder(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		store := &orderless{Store: a.rooms.Store}
		a.rooms.Store = store
		w.stay(a, 6*day+time.Hour)
		if n := c.ordered(); n != 0 || store.tries < 5 || store.tries > 20 {
			t.Errorf("%d orders, %d tries to write them down", n, store.tries)
		}
	})
}

// orderless takes everything down but orders.
type orderless struct {
	Store
	tries int
}

func (s *orderless) Order(_ string, i rollover.Issuing) error {
	if i.Tries == 0 {
		return nil
	}
	s.tries++
	return errors.New("no room")
}

// TestIssueDue: what once does: the order first, where one is due, and not else.
func TestIssueDue(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		a := w.open()
		defer w.close(a)
		if issued, err := a.IssueDue(t.Context(), "mx1"); issued || err != nil || c.ordered() != 0 {
			t.Errorf("before anything is known: %t, %v", issued, err)
		}
		w.goOn(a, time.Hour, isSteady("mx1", first))
		if issued, err := a.IssueDue(t.Context(), "mx1"); issued || err != nil || c.ordered() != 0 {
			t.Errorf("before it is due: %t, %v", issued, err)
		}
		time.Sleep(6 * day)
		c.set(func(c *aCA) { c.slow = time.Minute })
		go func() { _, _ = a.IssueDue(t.Context(), "mx1") }() // somebody else calls at the same time
		synctest.Wait()
		if issued, err := a.IssueDue(t.Context(), "mx1"); !issued || err != nil || c.ordered() != 1 {
			t.Errorf("when it is due: %t, %v, %d orders", issued, err, c.ordered())
		}
		if issued, err := a.IssueDue(t.Context(), "mx1"); issued || err != nil || c.ordered() != 1 {
			t.Errorf("after it: %t, %v", issued, err)
		}
		if _, err := a.Pass(t.Context(), "mx1"); err != nil {
			t.Fatal(err)
		}
		if s, _, _ := a.State("mx1"); s.Lineages["mx1"].Successor == "" {
			t.Error("the pass does not take it up")
		}
	})
}

// TestOrderTakesTheStandbyKey: each order is for the key whose record stands already, so
// that what comes of it is swapped in at once; one that fails leaves the key where it is.
func TestOrderTakesTheStandbyKey(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.config.Lineages[0].Policy.Scheme = rollover.Scheme{EE: true, Standby: true}
		c.fail = func(n int) error {
			if n == 1 {
				return errors.New("the CA is down")
			}
			return nil
		}
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		seen := []certwatch.Pair{first}
		for range 2 {
			w.stay(a, day) // the record of the standby key is in every cache
			standby, err := a.rooms.Keys.Next("mx1")
			if err != nil {
				t.Fatal(err)
			}
			want, err := standby.Association()
			if err != nil {
				t.Fatal(err)
			}
			var issued, swapped time.Time
			r := w.goOn(a, 7*day, func(r Report) bool {
				l := r.State.Lineages["mx1"]
				if issued.IsZero() && (l.Successor != "" || l.Live != seen[len(seen)-1].ID()) {
					issued = r.At
				}
				if swapped.IsZero() && l.Live != seen[len(seen)-1].ID() {
					swapped = l.Swapped
				}
				return another(seen...)(r)
			})
			pair, err := a.rooms.Stash.Get(r.State.Lineages["mx1"].Live)
			if err != nil {
				t.Fatal(err)
			}
			if got := record(t, pair); got != want {
				t.Errorf("it is live with %v, and the standby key was %v", got, want)
			}
			if took := swapped.Sub(issued); took > 2*time.Second {
				t.Errorf("swapped in %s after it was issued", took)
			}
			seen = append(seen, pair)
		}
		if n := c.ordered(); n != 3 {
			t.Errorf("%d orders", n)
		}
	})
}

// TestDryAgentOrdersNothing: and says so, whoever asks.
func TestDryAgentOrdersNothing(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		dry, err := a.Dry()
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(dry)
		if _, err := dry.IssueNow(t.Context(), "mx1"); err == nil || c.ordered() != 0 {
			t.Errorf("%v, after %d orders", err, c.ordered())
		}
	})
}

// TestRollbackIsNotUndoneByAnOrder: whoever goes back to the pair before does not find a
// newer one in its place a moment later, though a renewal of that pair is due: with a
// standby key it would wait for nothing.
func TestRollbackIsNotUndoneByAnOrder(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.config.Lineages[0].Policy.Scheme.Standby = true
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.goOn(a, 7*day, another(first))
		w.stay(a, day) // longer than another order would rest
		if err := a.Order("mx1", rollover.Orders{Rollback: true}); err != nil {
			t.Fatal(err)
		}
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.stay(a, 12*time.Hour)
		if s, _, _ := a.State("mx1"); s.Lineages["mx1"].Live != first.ID() || c.ordered() != 1 {
			t.Errorf("%s is live after %d orders", s.Lineages["mx1"].Live.Short(), c.ordered())
		}
		w.goOn(a, day, another(first)) // before it ends
	})
}
