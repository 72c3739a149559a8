package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/installer"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
)

// providerTimeout bounds one call of a provider, whatever its own limits are.
const providerTimeout = 2 * time.Minute

// outcomeOf is how one action ended.
type outcomeOf struct {
	action   rollover.Action
	err      error
	switched bool
}

func (o outcomeOf) result() rollover.Result {
	r := rollover.Result{Switched: o.switched}
	if o.err != nil {
		r.Err, r.Never, r.ByHand = o.err.Error(), errors.Is(o.err, dnsprovider.ErrUnsupported), byHand(o.err)
	}
	return r
}

// byHand reports whether an error says that a person has to make a change.
func byHand(err error) bool {
	_, ok := errors.AsType[*dnsprovider.ByHandError](err)
	return ok
}

// act carries out the actions of a group's plan, and makes durable how each
// ended as soon as that is known. An action once begun is not cut short by the
// end of ctx: it has limits of its own; those not begun are left, as by a crash. A
// failure keeps later actions from nothing, but what cannot be recorded ends the
// pass.
func (a *Agent) act(ctx context.Context, g *group, actions []rollover.Action) (events []rollover.Event, failed []error, err error) {
	for len(actions) > 0 {
		if ctx.Err() != nil {
			return events, failed, ctx.Err()
		}
		pointBefore(actions[0])
		batch := changesAhead(actions)
		var outcomes []outcomeOf
		if len(batch) > 0 {
			outcomes = a.update(context.WithoutCancel(ctx), batch)
			actions = actions[len(batch):]
		} else {
			outcomes = []outcomeOf{a.do(context.WithoutCancel(ctx), g, actions[0])}
			actions = actions[1:]
		}
		pointAfter(outcomes[0].action)
		var happened []rollover.Event
		for _, o := range outcomes {
			a.tell(g, o)
			if a.cfg.Acted != nil {
				a.cfg.Acted(g.names, o.action, o.err)
			}
			if o.err != nil {
				failed = append(failed, o.err)
			}
			if errors.Is(o.err, installer.ErrUnknown) {
				continue // as after a crash: what was intended is remembered, and the live link tells
			}
			now := a.clock.now()
			before, result := g.state, o.result()
			g.state = rollover.Done(before, o.action, result, g.policy, now)
			happened = append(happened, rollover.Acted(before, g.state, o.action, result, now)...)
		}
		g.show()
		failpoint.Here("outcome: before it is saved")
		if err := a.rooms.Store.Save(g.saved(g.state, nil, happened), a.clock.stamp()); err != nil {
			return events, failed, fmt.Errorf("%s was done and could not be recorded: %w", outcomes[0].action, err)
		}
		failpoint.Here("outcome: saved")
		a.happened(happened)
		events = append(events, happened...)
	}
	return events, failed, nil
}

// changesAhead are the first actions as far as they are changes at one provider
// in one zone: they go together.
func changesAhead(actions []rollover.Action) []rollover.Action {
	first, ok := changeOf(actions[0])
	if !ok {
		return nil
	}
	n := 1
	for n < len(actions) {
		c, ok := changeOf(actions[n])
		if !ok || c.Provider != first.Provider || c.Zone != first.Zone {
			break
		}
		n++
	}
	return actions[:n]
}

func changeOf(action rollover.Action) (rollover.Change, bool) {
	switch a := action.(type) {
	case rollover.Publish:
		return a.Change, true
	case rollover.Retire:
		return a.Change, true
	case rollover.Retime:
		return a.Change, true
	}
	return rollover.Change{}, false
}

var errNoResult = errors.New("the provider does not say what became of the change")

// update sends changes of one zone to its provider.
func (a *Agent) update(ctx context.Context, actions []rollover.Action) []outcomeOf {
	out := make([]outcomeOf, len(actions))
	changes := make([]dnsprovider.Change, len(actions))
	for i, action := range actions {
		c, _ := changeOf(action)
		out[i].action = action
		changes[i] = dnsprovider.Change{Owner: c.Owner, Before: c.Before, After: c.After}
	}
	first, _ := changeOf(actions[0])
	p := a.provider(first.Provider)
	if p == nil {
		for i := range out {
			out[i].err = fmt.Errorf("publish %s: no provider %q", changes[i].Owner, first.Provider)
		}
		return out
	}
	if err := a.rests.of(p.Name, a.clock.now()); err != nil {
		for i := range out {
			out[i].err = err
		}
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	results := p.Apply(ctx, first.Zone, changes)
	for i := range out {
		if i < len(results) {
			out[i].err = results[i]
			a.rests.heed(p.Name, results[i], a.clock.now())
		} else {
			out[i].err = fmt.Errorf("publish %s: provider %s: %w", changes[i].Owner, p.Name, errNoResult)
		}
	}
	return out
}

// do carries out an action on this host.
func (a *Agent) do(ctx context.Context, g *group, action rollover.Action) outcomeOf {
	o := outcomeOf{action: action}
	switch act := action.(type) {
	case rollover.Swap:
		g.abandon()
		o.err, o.switched = a.switchTo(ctx, act.Lineage, a.rooms.Stash.Path(act.To))
	case rollover.Back:
		g.abandon()
		o.err, o.switched = a.switchTo(ctx, act.Lineage, a.rooms.Stash.Path(act.To))
	case rollover.Adopt:
		o.err = a.rooms.Host(a.lineages[act.Lineage]).Adopt(a.rooms.Stash.Path(act.Chain))
	case rollover.Discard:
		o.err = a.discard(act)
	default:
		o.err = fmt.Errorf("%s: unknown action", action)
	}
	return o
}

// switchTo installs an entry. Switched is true where the new pair may be in use
// although something failed.
func (a *Agent) switchTo(ctx context.Context, lineage, entry string) (error, bool) {
	result, err := a.rooms.Host(a.lineages[lineage]).Switch(ctx, entry)
	for _, w := range result.Warnings {
		a.log.Warn(w.Text, "lineage", lineage, "code", w.Code)
	}
	var failed *swap.Error
	if errors.As(err, &failed) {
		return err, failed.Switched || len(failed.Mixed) > 0
	}
	return err, false
}

// discard takes pairs out of the stash that no lineage of any group names.
func (a *Agent) discard(d rollover.Discard) error {
	if len(d.Chains) == 0 {
		return nil
	}
	a.stashing.lock()
	defer a.stashing.unlock()
	gone, err := a.rooms.Store.Forget(d.Chains)
	failpoint.Here("discard: forgotten by the journal")
	for _, id := range gone {
		err = errors.Join(err, a.rooms.Stash.Remove(id))
	}
	return err
}

// tried are a plan's actions without those that failed a moment ago: whatever
// else a pass is made for, they are tried again later each time. What is done on
// this host is left to the plan.
func (a *Agent) tried(g *group) []rollover.Action {
	now := a.clock.now()
	return slices.DeleteFunc(slices.Clone(g.plan.Actions), func(action rollover.Action) bool {
		switch action.(type) {
		case rollover.Swap, rollover.Back:
			return false
		}
		return now.Before(g.failures[action.String()].again)
	})
}

// retry is when an action of the plan that failed, or a copy that could not be read, is
// tried again, zero if there is none.
func (g *group) retry() time.Time {
	var at time.Time
	for _, action := range g.plan.Actions {
		at = earliest(at, g.failures[action.String()].again)
	}
	for _, f := range g.notRead {
		at = earliest(at, f.again)
	}
	return at
}

// tell logs how an action ended and remembers a failure. One that was told is not
// told again until its cause changes or the action succeeds.
func (a *Agent) tell(g *group, o outcomeOf) {
	what := o.action.String()
	before := g.failures[what]
	if o.err == nil {
		delete(g.failures, what)
		if _, quiet := o.action.(rollover.Discard); !quiet {
			a.log.Info("done", "action", what, "next_look", later(g.plan.Wake(), a.clock.now()))
		}
		return
	}
	if len(g.failures) > maxFailures {
		clear(g.failures)
	}
	f := before.next(o.err, a.clock.now())
	g.failures[what] = f
	if f.text == before.text {
		a.log.Debug("action failed again", "action", what, "err", o.err)
		return
	}
	if e, ok := errors.AsType[*dnsprovider.ByHandError](o.err); ok && e.Untold == nil {
		a.log.Warn("action waits for a person", "action", what, "err", o.err, "next_look", f.again)
		return
	}
	a.log.Error("action failed", "action", what, "err", o.err, "next_look", f.again)
}

// maxFailures bounds the failures that are remembered.
const maxFailures = 100
