package rollover_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.13: no jump of a clock shortens a wait.

func TestRestartBeginsEveryWaitAgain(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(60 * time.Second)
	w.State, w.Plan = rollover.Restart(w.State, w.Now), rollover.Plan{}
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, sim.Ipub, 2*time.Second)
	w.Run(10 * time.Second)
	w.Policy.Timing.Retire = 5 * time.Minute
	w.State, w.Plan = rollover.Restart(w.State, w.Now), rollover.Plan{}
	w.Took("retiring", w.Until(10*time.Minute, w.Steady), 5*time.Minute, 15*time.Second)
}

// The clock may have been anywhere when the state was written.
func TestRestartFromAnotherTime(t *testing.T) {
	for name, jump := range map[string]time.Duration{"from the future": -10000 * time.Hour, "from the past": 10000 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			second := w.Issue(issuer, sim.Leaf{Begins: sim.Epoch.Add(-20000 * time.Hour), Ends: sim.Epoch.Add(20000 * time.Hour)})
			w.OfferTo("mx1", second, true)
			w.Servers[1].Hidden = true
			w.Run(60 * time.Second)
			w.Servers[1].Hidden = false
			w.Now, w.Passed = w.Now.Add(jump), time.Time{}
			w.ForgetCaches()
			w.State, w.Plan = rollover.Restart(w.State, w.Now), rollover.Plan{}
			took := w.Until(5*time.Minute, w.Swapped(second))
			w.Took("the swap", took, sim.Ipub, 2*time.Second)
			w.Until(10*time.Minute, w.Steady)
			w.Stands(w.Record(tlsa.EE, second))
		})
	}
}

func TestRestartTriesAHeldSwapLater(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Faults["check"] = "fatal"
	w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
	w.Run(50 * time.Minute)
	w.State, w.Plan = rollover.Restart(w.State, w.Now), rollover.Plan{}
	w.Took("the next try", w.Until(3*time.Hour, w.Swapped(second)), time.Hour, time.Minute)
}

func TestRestartLeavesTheOldStateAlone(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Renew(issuer)
	w.Run(30 * time.Second)
	before, err := json.Marshal(w.State)
	if err != nil {
		t.Fatal(err)
	}
	rollover.Restart(w.State, w.Now.Add(time.Hour))
	after, err := json.Marshal(w.State)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the state given was changed")
	}
}

// A state goes through the journal unchanged.
func TestStateIsDurable(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+ta")
	w.Offer(w.Issue(issuer, sim.Leaf{}))
	w.Faults["check"] = "fatal"
	w.Run(3 * time.Minute)
	b, err := json.Marshal(w.State)
	if err != nil {
		t.Fatal(err)
	}
	var back rollover.State
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(b) {
		t.Errorf("written and read back, it is\n%s\nwas\n%s", again, b)
	}
	w.State = back
	w.Until(2*time.Hour, func() bool { return w.Swaps > 0 })
}

// A crash comes between the live link and its record, and a pair is staged meanwhile: the
// pass that goes on with the adoption wants the records of both.
func TestPairStagedInACrashOfTheAdoption(t *testing.T) {
	for _, scheme := range []string{"ee", "ee+ta"} {
		t.Run(scheme, func(t *testing.T) {
			w := sim.NewWorld(t)
			w.Scheme(scheme)
			issuer := w.CA("Issuer A", nil)
			first := w.Issue(issuer, sim.Leaf{})
			w.Serving("mx1", first)
			adopts := func(a rollover.Action) bool { _, so := a.(rollover.Adopt); return so }
			if !w.UntilKilled(time.Minute, sim.AfterActing, adopts, func() {}) {
				t.Fatalf("nothing is adopted\n%s", w.Story())
			}
			second := w.Renew(issuer)
			w.Run(time.Second / 2)
			if missing := w.Zone[sim.Owner25(t)].RRset.Missing(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second)); w.Live() != first || len(missing) > 0 {
				t.Errorf("live %s, lacking %v\n%s", w.Live().Short(), missing, w.Story())
			}
		})
	}
}
