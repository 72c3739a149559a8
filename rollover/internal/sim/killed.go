package sim

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Moment is where in a pass the process dies.
type Moment int

// Moments of a pass that has something to do.
const (
	BeforeSaving Moment = iota // nothing is remembered, nothing was done
	BeforeActing               // the intention is remembered, nothing was done
	AfterActing                // it was done, and its end not remembered
)

// UntilKilled lets the world go on, for d at most, until a pass asks for an action
// for which fatal is true, and the process dies there. It reports whether one did.
// Between steps, each is called.
func (w *World) UntilKilled(d time.Duration, at Moment, fatal func(rollover.Action) bool, each func()) bool {
	w.T.Helper()
	for end := w.Now.Add(d); w.Now.Before(end); {
		each()
		due := w.due()
		if due.After(w.Now) {
			before := earliest(due.Add(-time.Nanosecond), end)
			w.Wait(before.Sub(w.Now), func() bool { return false })
			if before.Before(due.Add(-time.Nanosecond)) || w.due().Before(due) {
				continue
			}
			w.Now = due
			w.happen()
		}
		if w.dies(at, fatal) {
			return true
		}
		w.Wait(time.Nanosecond, func() bool { return w.Passed.Equal(w.Now) })
	}
	return false
}

// dies makes the pass that is due now if it asks for such an action, up to where it
// ends.
func (w *World) dies(at Moment, fatal func(rollover.Action) bool) bool {
	state, plan := w.decided()
	for _, a := range plan.Actions {
		if !fatal(a) {
			continue
		}
		w.Passed = w.Now
		w.Plan = rollover.Plan{} // the next process knows of no plan
		if at == BeforeSaving {
			return true
		}
		w.State = w.durable(state, true)
		for _, h := range w.Hosts {
			h.offers, h.Orders = nil, rollover.Orders{}
		}
		if at == AfterActing {
			w.do(a)
			w.shakeHands()
		}
		return true
	}
	return false
}

// decided is what a pass at this moment comes to.
func (w *World) decided() (rollover.State, rollover.Plan) {
	o := w.Observe()
	state, plan := rollover.Next(w.State, o, w.Policy, w.Now)
	if len(plan.Read) > 0 {
		o.Copies = map[tlsa.Owner]rollover.Sight[tlsa.RRset]{}
		for _, target := range plan.Read {
			o.Copies[target] = w.copyOf(target)
		}
		state, plan = rollover.Next(w.State, o, w.Policy, w.Now)
	}
	return state, plan
}

// Die ends the process now, between two passes. Nobody passes until d is over.
func (w *World) Die(d time.Duration) {
	w.T.Helper()
	w.Plan, w.State = rollover.Plan{}, w.durable(w.State, true)
	if d > 0 {
		w.Passed = w.Now.Add(d)
		w.Run(d)
	}
}
