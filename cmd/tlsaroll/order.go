package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// orderOptions are a person's words about lineages.
type orderOptions struct {
	Verb   string          `json:"verb"` // the command, for sentences
	Orders rollover.Orders `json:"orders"`
	Wait   string          `json:"wait,omitempty"` // until what, see [order]
}

// untilWithdrawn is when no cache can hold a record any more.
const untilWithdrawn = "withdrawn"

// order has the next pass hear a person's words about one lineage or all, and says what
// came of it.
func (o *office) order(ctx context.Context, r control.Request) error {
	asked, err := options[orderOptions](r)
	if err != nil {
		return err
	}
	return with(o.acting, r.Lineage, func(a *agent.Agent) error {
		names := lineages(a, r.Lineage)
		if err := object(a, names, asked); err != nil {
			return err
		}
		var jobs []*job
		var errs []error
		for _, name := range names { // all at once: servers that do not answer may keep us with the first for long
			j, err := o.give(a, name, asked)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			jobs = append(jobs, j)
		}
		for _, j := range jobs {
			errs = append(errs, j.ordered(ctx, asked))
		}
		return errors.Join(errs...)
	})
}

// object says why some lineage cannot do what is wanted: then none does.
func object(a *agent.Agent, names []string, asked orderOptions) error {
	var errs []error
	for _, name := range names {
		objections, err := a.Objections(name, asked.Orders)
		errs = append(errs, err)
		for _, why := range objections {
			errs = append(errs, fmt.Errorf("%s: %s: %s", asked.Verb, name, why))
		}
	}
	return errors.Join(errs...)
}

// give hands one lineage its order, which the next pass over it hears.
func (o *office) give(a *agent.Agent, name string, asked orderOptions) (*job, error) {
	state, _, err := a.State(name)
	if err != nil {
		return nil, err
	}
	j := &job{office: o, agent: a, lineage: name, goal: asked.Wait, shown: newProgress(o.ui, name)}
	if asked.Orders.Rollback {
		j.want = state.Lineages[name].Previous
	}
	return j, a.Order(name, asked.Orders)
}

// ordered stays with a lineage that was given an order as long as is wanted.
func (j *job) ordered(ctx context.Context, asked orderOptions) error {
	switch {
	case asked.Orders.Rollback && asked.Wait != "":
		return j.unheard(j.stay(ctx))
	case asked.Orders.Rollback:
		return j.unheard(j.step(ctx))
	case asked.Wait == untilWithdrawn:
		return j.stayWithdrawn(ctx)
	}
	report, err := j.untilHeard(ctx, asked.Orders)
	if err != nil {
		return err
	}
	s := status(report, j.lineage, j.agent.Now())
	j.ui.result(s.Explain(j.agent.Now()))
	switch {
	case len(report.Failed) > 0:
		return &exitCode{code: exitError}
	case asked.Orders.Withdraw:
		return withdrawal(s)
	}
	return nil
}

// untilHeard makes passes until one has heard the order, and no step follows at once.
func (j *job) untilHeard(ctx context.Context, orders rollover.Orders) (agent.Report, error) {
	var last agent.Report
	passes := 0
	err := j.office.stay(ctx, j.agent, j.lineage, func(r agent.Report) bool {
		last = r
		passes++
		j.failedOnce(r)
		return obeyed(r.State.Lineages[j.lineage], orders) && (!r.Changed || len(r.Failed) > 0) || passes == 2*lull
	})
	switch {
	case err != nil:
		return last, j.unheard(err)
	case ctx.Err() != nil:
		return last, ctx.Err()
	case !obeyed(last.State.Lineages[j.lineage], orders):
		return last, fmt.Errorf("%s: the order was passed over: something else came in between (hint: tlsaroll status %s)", j.lineage, j.lineage)
	}
	return last, nil
}

// unheard says of a pass that could not be made that whoever keeps the lineage makes
// another, and hears the order then.
func (j *job) unheard(err error) error {
	if _, outcome := errors.AsType[*exitCode](err); err == nil || outcome || !j.hired {
		return err
	}
	return fmt.Errorf("%w; the order to %s stands: the next pass that can be made hears it", err, j.lineage)
}

// obeyed reports whether a lineage stands as an order wants.
func obeyed(l rollover.Lineage, o rollover.Orders) bool {
	switch {
	case o.Freeze != nil:
		return l.Frozen != nil && l.Frozen.Until.Equal(o.Freeze.Until)
	case o.Thaw:
		return l.Frozen == nil
	case o.Withdraw:
		return !l.Withdrawn.IsZero()
	case o.Cancel:
		return l.Successor == "" && l.Queued == ""
	}
	return true
}

// stayWithdrawn makes passes until no cache can hold a record of the lineage.
func (j *job) stayWithdrawn(ctx context.Context) error {
	last, err := j.watch(ctx, func(r agent.Report) bool {
		s := status(r, j.lineage, j.agent.Now())
		return withdrawn(s) || hindered(s)
	})
	if err != nil {
		return err
	}
	s := status(last, j.lineage, j.agent.Now())
	j.ui.result(s.Explain(j.agent.Now()))
	return withdrawal(s)
}

// withdrawal says by exit code how far one is.
func withdrawal(s rollover.LineageStatus) error {
	switch {
	case withdrawn(s):
		return nil
	case hindered(s):
		return &exitCode{code: exitPerson}
	}
	return &exitCode{code: exitWaiting}
}

// withdrawn reports whether a lineage's records are withdrawn and out of all caches.
func withdrawn(s rollover.LineageStatus) bool {
	return slices.ContainsFunc(s.Warnings, func(w rollover.Warning) bool { return w.Code == rollover.CodeWithdrawn })
}

// hindered reports whether nobody but a person can have the records taken out.
func hindered(s rollover.LineageStatus) bool {
	return slices.ContainsFunc(s.Waiting, func(r rollover.Reason) bool {
		return slices.Contains([]rollover.Code{rollover.CodeForeignCombo, rollover.CodeNoProvider, rollover.CodeZoneInsecure}, r.Code)
	})
}
