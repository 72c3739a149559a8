package rollover

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.13: no jump of a clock shortens a wait.

func TestRestartBeginsEveryWaitAgain(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(60 * time.Second)
	w.state, w.plan = Restart(w.state, w.now), Plan{}
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, ipub, 2*time.Second)
	w.run(10 * time.Second)
	w.policy.Timing.Retire = 5 * time.Minute
	w.state, w.plan = Restart(w.state, w.now), Plan{}
	w.took("retiring", w.until(10*time.Minute, w.steady), 5*time.Minute, 15*time.Second)
}

// The clock may have been anywhere when the state was written.
func TestRestartFromAnotherTime(t *testing.T) {
	for name, jump := range map[string]time.Duration{"from the future": -10000 * time.Hour, "from the past": 10000 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := rolled(t, "ee")
			second := w.issue(issuer, leaf{begins: epoch.Add(-20000 * time.Hour), ends: epoch.Add(20000 * time.Hour)})
			w.offerTo("mx1", second, true)
			w.servers[1].hidden = true
			w.run(60 * time.Second)
			w.servers[1].hidden = false
			w.now, w.caches, w.passed = w.now.Add(jump), map[cached]time.Time{}, time.Time{}
			w.state, w.plan = Restart(w.state, w.now), Plan{}
			took := w.until(5*time.Minute, w.swapped(second))
			w.took("the swap", took, ipub, 2*time.Second)
			w.until(10*time.Minute, w.steady)
			w.stands(w.record(tlsa.EE, second))
		})
	}
}

func TestRestartTriesAHeldSwapLater(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.faults["check"] = "fatal"
	w.until(5*time.Minute, func() bool { return w.lineage().Held != nil })
	w.run(50 * time.Minute)
	w.state, w.plan = Restart(w.state, w.now), Plan{}
	w.took("the next try", w.until(3*time.Hour, w.swapped(second)), time.Hour, time.Minute)
}

func TestRestartLeavesTheOldStateAlone(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.renew(issuer)
	w.run(30 * time.Second)
	before, err := json.Marshal(w.state)
	if err != nil {
		t.Fatal(err)
	}
	Restart(w.state, w.now.Add(time.Hour))
	after, err := json.Marshal(w.state)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the state given was changed")
	}
}

// A state goes through the journal unchanged.
func TestStateIsDurable(t *testing.T) {
	w, issuer, _ := rolled(t, "ee+ta")
	w.offer(w.issue(issuer, leaf{}))
	w.faults["check"] = "fatal"
	w.run(3 * time.Minute)
	b, err := json.Marshal(w.state)
	if err != nil {
		t.Fatal(err)
	}
	var back State
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
	w.state = back
	w.until(2*time.Hour, func() bool { return w.swaps > 0 })
}
