package page

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Timeline is the way of one successor, as a picture and as a list.
type Timeline struct {
	Alt   string
	Steps []Step
	Rail  []Segment
}

// Step is a place on the way.
type Step struct {
	N     int
	Title string
	State StepState
	Note  string
	When  *Moment
	X     string // in percent of the picture's width
	Dots  []Dot
	More  string // in place of dots, where there are too many
}

// StepState is how far a step has come.
type StepState string

// States of steps.
const (
	Done    StepState = "done"
	Present StepState = "present"
	ToCome  StepState = "to-come"
	Failed  StepState = "failed"
	Skipped StepState = "skipped"
)

// Segment is a part of the rail, in percent of the picture's width.
type Segment struct {
	From, To string
	State    StepState
}

// Dot is one server or address; X and Y are its place below its step.
type Dot struct {
	Tone Tone
	X, Y int
	Who  string
}

// The steps, in the order in which they are taken.
const (
	stepPublished = iota
	stepEverywhere
	stepCaches
	stepSwapped
	stepVerified
	stepRetired
	steps
)

// timeline is the rollover that goes on in a lineage, nil where none does.
func timeline(s rollover.LineageStatus, now time.Time) *Timeline {
	if s.Successor == nil && s.Swapping == nil && s.Phase == rollover.Steady || s.Live == nil && s.Successor == nil {
		return nil
	}
	servers, addresses := converged(s), presented(s)
	way := progress(s, servers, addresses, now)
	at := times(s, now)
	t := &Timeline{}
	for i, title := range []string{"Published", "On every server", "Caches renewed", "Swapped in", "Verified", "Old records out"} {
		t.Steps = append(t.Steps, Step{N: i + 1, Title: title, State: way.state(i), X: percent(middle(i)), When: at[i]})
	}
	t.Steps[stepEverywhere].Note = outOf(servers.yes, servers.all(), "server", "servers")
	t.Steps[stepEverywhere].dots(servers, Moving)
	if way.reached > stepSwapped && !way.skipped {
		t.Steps[stepVerified].Note = outOf(addresses.yes, addresses.all(), "address", "addresses")
		t.Steps[stepVerified].dots(addresses, Moving)
	}
	if way.reached == stepPublished {
		t.Steps[stepPublished].Note = "begun"
	}
	t.Steps[stepSwapped].Note = way.swap
	if way.reached == stepCaches || way.reached == stepRetired {
		t.Steps[way.reached].Note = fmt.Sprintf("%.0f %% of the wait", way.part*100)
		if at[way.reached] == nil {
			t.Steps[way.reached].Note = "not known yet"
		}
	}
	t.rail(way)
	if way.reached < steps {
		t.Alt = fmt.Sprintf("Rollover, step %d of %d: %s. %s", way.reached+1, steps, t.Steps[way.reached].Title, t.Steps[way.reached].Note)
	}
	return t
}

// way is how far a rollover has come.
type way struct {
	reached int     // the step that is under way; those before are done
	part    float64 // of the way to it
	failed  bool
	skipped bool   // nothing was swapped in
	swap    string // what there is to say of the swap
}

func (w way) state(i int) StepState {
	switch {
	case w.skipped && i > stepEverywhere && i < stepRetired:
		return Skipped
	case i < w.reached:
		return Done
	case i > w.reached:
		return ToCome
	case w.failed:
		return Failed
	}
	return Present
}

func progress(s rollover.LineageStatus, servers, addresses tally, now time.Time) way {
	switch w := s.Swapping; {
	case held(s):
		return way{reached: stepSwapped, failed: true, swap: "undone: " + harmless(s.Held.Text) + "; tried again"}
	case w != nil && w.Step == rollover.SwapInstalled:
		return way{reached: stepVerified, part: addresses.share(), swap: "settling"}
	case w != nil && (w.Step == rollover.SwapFailed || w.Step == rollover.SwapUndoing):
		return way{reached: stepSwapped, failed: true, swap: "failed: " + harmless(w.Why)}
	case w != nil:
		return way{reached: stepSwapped, part: .5, swap: "under way"}
	case s.Successor == nil:
		return leaving(s, addresses, now)
	}
	switch s.Phase {
	case rollover.Published:
		return way{reached: stepCaches, part: over(s.Since, s.Successor.ReadyAt, now)}
	case rollover.Ready:
		return way{reached: stepSwapped}
	case rollover.Generated, rollover.Steady, rollover.Retiring:
	}
	if servers.yes == 0 {
		return way{reached: stepPublished}
	}
	return way{reached: stepEverywhere, part: servers.share()}
}

// leaving is how far a rollover has come when all that is left is to take records out.
func leaving(s rollover.LineageStatus, addresses tally, now time.Time) way {
	last := lastOf(s)
	w := way{reached: stepRetired, skipped: last != nil && last.Swapped.IsZero()}
	if w.skipped {
		w.swap = "cancelled"
		return w
	}
	if addresses.yes < addresses.all() {
		return way{reached: stepVerified, part: addresses.share()}
	}
	if last != nil {
		w.part = over(&last.Swapped, latest(s), now)
	}
	return w
}

// lastOf is the rollover that goes on.
func lastOf(s rollover.LineageStatus) *rollover.Period {
	if n := len(s.Rollovers); n > 0 && s.Rollovers[n-1].Ended.IsZero() {
		return &s.Rollovers[n-1]
	}
	return nil
}

// latest is when the last of what is waited for is over, nil if one of them has no time.
func latest(s rollover.LineageStatus) (end *time.Time) {
	for _, r := range s.Waiting {
		if r.Until.IsZero() {
			return nil
		}
		if end == nil || r.Until.After(*end) {
			end = &r.Until
		}
	}
	return end
}

// retires is when the old records leave.
func retires(s rollover.LineageStatus, now time.Time) *Moment { return maybe(latest(s), now) }

// times are when steps were taken, or will be as far as it is known.
func times(s rollover.LineageStatus, now time.Time) (at [steps]*Moment) {
	if p := lastOf(s); p != nil {
		at[stepPublished] = moment(p.Began, now)
		if s.Successor == nil {
			at[stepSwapped] = maybe(&p.Swapped, now)
		}
	}
	if s.Since != nil && s.Successor != nil {
		at[stepPublished] = moment(*s.Since, now)
	}
	switch {
	case held(s):
		at[stepCaches], at[stepSwapped] = maybe(s.Successor.ReadyAt, now), maybe(&s.Held.Again, now)
	case s.Successor != nil:
		at[stepCaches] = maybe(s.Successor.ReadyAt, now)
	case s.Swapping != nil:
		at[stepSwapped] = moment(s.Swapping.Began, now)
	case s.Phase == rollover.Retiring:
		at[stepRetired] = retires(s, now)
	}
	return at
}

// over is how much of a time is over.
func over(from, to *time.Time, now time.Time) float64 {
	if from == nil || to == nil || !to.After(*from) {
		return 0
	}
	return min(1, max(0, float64(now.Sub(*from))/float64(to.Sub(*from))))
}
