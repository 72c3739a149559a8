package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
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
		r.Err = o.err.Error()
	}
	return r
}

// act carries out the actions of a plan and tells how each ended as soon as that
// is known. An action once begun is not cut short by the end of ctx: it has
// limits of its own. A failure keeps later actions from nothing, but what cannot
// be recorded ends the pass.
func (a *Agent) act(ctx context.Context, g *group, actions []rollover.Action, ended func(outcomeOf) error) error {
	ctx = context.WithoutCancel(ctx)
	for len(actions) > 0 {
		batch := changesAhead(actions)
		var outcomes []outcomeOf
		if len(batch) > 0 {
			outcomes = a.update(ctx, batch)
			actions = actions[len(batch):]
		} else {
			outcomes = []outcomeOf{a.do(ctx, g, actions[0])}
			actions = actions[1:]
		}
		for _, o := range outcomes {
			a.tell(o)
			if err := ended(o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Agent) tell(o outcomeOf) {
	switch _, quiet := o.action.(rollover.Discard); {
	case o.err != nil:
		a.log.Error("action failed", "action", o.action.String(), "err", o.err)
	case !quiet:
		a.log.Info("done", "action", o.action.String())
	}
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
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	for i, err := range p.Apply(ctx, first.Zone, changes) {
		out[i].err = err
	}
	return out
}

// do carries out an action on this host.
func (a *Agent) do(ctx context.Context, g *group, action rollover.Action) outcomeOf {
	o := outcomeOf{action: action}
	switch act := action.(type) {
	case rollover.Swap:
		o.err, o.switched = a.switchTo(ctx, act.Lineage, a.stash.Path(act.To))
	case rollover.Back:
		o.err, o.switched = a.switchTo(ctx, act.Lineage, a.stash.Path(act.To))
	case rollover.Adopt:
		o.err = a.host(a.lineages[act.Lineage]).Adopt(a.stash.Path(act.Chain))
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
	result, err := a.host(a.lineages[lineage]).Switch(ctx, entry)
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
	gone, err := a.store.Forget(d.Chains)
	for _, id := range gone {
		err = errors.Join(err, a.stash.Remove(id))
	}
	return err
}
