package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Report is what one pass came to.
type Report struct {
	Lineages []string // of the group, sorted
	State    rollover.State
	Policy   rollover.Policy
	Plan     rollover.Plan
	Failed   []error          // what went wrong with an action; the rest of the pass went on
	Events   []rollover.Event // what happened, in order
	At       time.Time
	Again    time.Time // when the next pass is due; zero: at once
	Changed  bool      // something was done, or was tried; of a look only: would be
	Err      error     // why the pass could not be made; the rest is not known then
}

// Pass makes one pass over the owner group of a lineage: look, decide, remember,
// act. Endpoints that are due are waited for, however long they take.
func (a *Agent) Pass(ctx context.Context, lineage string) (Report, error) {
	for {
		a = a.latest()
		g, err := a.group(lineage)
		if err != nil {
			return Report{}, err
		}
		r, err := a.passOver(ctx, g, true)
		switch {
		case errors.Is(err, ErrClosed) && a.heir.Load() != nil:
		case !errors.Is(err, errJoined):
			a.ring(g) // whoever makes passes when they are due plans by what came of this one
			return r, err
		}
	}
}

// passOver makes a pass when it is the group's turn. A group that turns out to
// share records with another is joined with it, and [errJoined] is returned.
func (a *Agent) passOver(ctx context.Context, g *group, patient bool) (Report, error) {
	if err := a.take(ctx, g); err != nil {
		return Report{}, err
	}
	number := a.number()
	r, err := a.pass(ctx, g, patient)
	r.Lineages, r.Again = g.names, a.again(g)
	g.give()
	if shares, ok := errors.AsType[*sharing](err); ok {
		if err := a.join(ctx, g, shares.with); err != nil {
			return Report{}, err
		}
		return Report{}, errJoined
	}
	if !errors.Is(err, errJoined) && ctx.Err() == nil {
		a.tellFollowers(number, r, err)
	}
	return r, err
}

// take waits for a group's turn. Where the agent has ended meanwhile there is none.
func (a *Agent) take(ctx context.Context, g *group) error {
	if err := g.take(ctx); err != nil {
		return err
	}
	if a.life.Err() != nil {
		g.give()
		return ErrClosed
	}
	return nil
}

// pass looks, decides, remembers and acts.
func (a *Agent) pass(ctx context.Context, g *group, patient bool) (Report, error) {
	if g.joined != nil {
		return Report{}, errJoined
	}
	a.watchClock()
	ctx = dnsprovider.OnePass(ctx)
	if err := a.lookFar(ctx, g, patient); err != nil {
		return Report{}, err
	}
	leave, err := a.enter(ctx, g)
	if err != nil {
		return Report{}, err
	}
	defer leave()
	g.wanted() // whatever it was: here we go
	s := a.observe(ctx, g)
	switch {
	case ctx.Err() != nil:
		return Report{}, ctx.Err() // a look that was cut short says nothing
	case s.shares != nil:
		return Report{}, &sharing{s.shares}
	case s.idle:
		g.book = s.book
		r := Report{State: g.state, Policy: g.policy, Plan: g.plan, At: a.clock.now()}
		r.Plan.Actions = nil // they are done
		return r, nil
	}
	state, plan, err := a.decide(ctx, g, &s)
	if err != nil {
		return Report{}, err
	}
	r := Report{State: state, Policy: s.policy, Plan: plan, At: a.clock.now()}
	if a.dry {
		r.Changed = len(plan.Actions) > 0
		g.far = nil
		return r, nil
	}
	r.Events = rollover.Decided(g.state, state, s.Observation, r.At)
	failpoint.Here("decision: before it is saved")
	err = a.inbox.taken(s.post, func(left map[string][]rollover.Offer) error {
		return a.rooms.Store.Save(g.saved(state, left, r.Events), a.clock.stamp())
	})
	if err != nil {
		return r, fmt.Errorf("nothing was done: %w", err)
	}
	failpoint.Here("decision: saved")
	a.happened(r.Events)
	g.state, g.plan, g.policy, g.book = state, plan, s.policy, s.book
	if s.far {
		g.far = nil
	}
	g.show()
	actions := a.tried(g)
	r.Changed = len(actions) > 0
	acted, failed, err := a.act(ctx, g, actions)
	r.State, r.Failed, r.Events = g.state, failed, append(r.Events, acted...)
	return r, err
}

// enter waits for a group's turn to look: those with nothing on their way never keep
// one waiting whose swap may be due, or whose files may have changed, were it while
// it waits.
func (a *Agent) enter(ctx context.Context, g *group) (leave func(), err error) {
	for {
		lane := a.routine
		if g.busy() || g.unread() {
			lane = a.pressing
		}
		select {
		case lane <- struct{}{}:
			return func() { <-lane }, nil
		case <-g.nudge:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// decide asks the rules, and once more where they want providers' own copies read.
func (a *Agent) decide(ctx context.Context, g *group, s *sight) (rollover.State, rollover.Plan, error) {
	a.heed(g, s)
	state, plan := rollover.Next(g.state, s.Observation, s.policy, a.clock.now())
	maps.DeleteFunc(g.notRead, func(target tlsa.Owner, _ failure) bool { return !slices.Contains(plan.Read, target) })
	if len(plan.Read) > 0 {
		s.Copies = a.copies(ctx, g, plan.Read, state)
		state, plan = rollover.Next(g.state, s.Observation, s.policy, a.clock.now())
	}
	return state, plan, ctx.Err()
}

// heed takes in a freeze that was ordered while the pass looked: it keeps to that, and
// the next one hears it with all else that came.
func (a *Agent) heed(g *group, s *sight) {
	post := a.inbox.look(g.names)
	for name, view := range s.Lineages {
		if o := post.ordered(name); o.Freeze != nil {
			view.Orders = view.Orders.And(rollover.Orders{Freeze: o.Freeze})
			s.Lineages[name] = view
		}
	}
}

// again is when a group is due for its next pass. While a failed action waits for
// another try, that is not before then, but no later than when a swap may be due or
// files may have settled.
func (a *Agent) again(g *group) time.Time {
	at := earliest(g.plan.LookDNS, g.book.recheck)
	if !g.book.polled.IsZero() {
		at = earliest(at, g.book.polled.Add(g.base.Timing.Poll))
	}
	if g.far == nil { // else its end is a reason of its own
		at = earliest(at, g.plan.LookServed)
	}
	failed := g.retry()
	if failed.IsZero() {
		return at
	}
	retry, now := earliest(failed, g.book.recheck), a.clock.now()
	for _, l := range g.state.Lineages {
		if l.Successor != "" && l.ReadyAt.After(now) {
			retry = earliest(retry, l.ReadyAt)
		}
	}
	return later(at, retry)
}

// watchClock tells, once, that the wall clock was set: our own time does not
// follow it, so that no wait is shortened.
func (a *Agent) watchClock() {
	apart := a.clock.apart()
	a.mu.Lock()
	before, now := a.parted, apart.Abs() > tolerance
	a.parted = now
	a.mu.Unlock()
	switch {
	case now == before:
	case now:
		a.log.Warn("the wall clock was set: this process goes on by its own time (hint: if the clock is right now, restart tlsaroll; open waits start again then)", "ahead", apart.Round(time.Second))
	default:
		a.log.Info("the wall clock is right again")
	}
}

// ClockApart is by how much the wall clock is ahead of the agent's own time; zero
// where the difference is too small to matter.
func (a *Agent) ClockApart() time.Duration {
	if apart := a.clock.apart(); apart.Abs() > tolerance {
		return apart
	}
	return 0
}
