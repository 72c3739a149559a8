package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// orderPatience is for how long a command waits for an order. It goes on in a daemon; else
// it is cut off with the process, and placed again by whoever comes next, after a while.
const orderPatience = 15 * time.Minute

var errOrderTooLong = errors.New("no certificate in " + orderPatience.String())

// orderDue places the order of a lineage where it is due. What a pass makes of the rest
// does not depend on it.
func (o *office) orderDue(ctx context.Context, a *agent.Agent, lineage string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, orderPatience, errOrderTooLong)
	defer cancel()
	if !a.Issues(lineage) {
		return nil
	}
	defer o.answering(ctx, a)()
	_, err := a.IssueDue(ctx, lineage)
	return err
}

// newPair is the pair that a rollover is about, handed in: the one that was named, else one
// that is ordered now, where nothing is on its way; "" is what is there.
func (o *office) newPair(ctx context.Context, a *agent.Agent, r control.Request, asked rolloverOptions) (tlsa.ChainID, error) {
	if r.Pair != nil || asked.DryRun || !a.Issues(r.Lineage) {
		return o.take(a, r)
	}
	state, policy, err := a.State(r.Lineage)
	if err != nil {
		return "", err
	}
	if state.Lineages[r.Lineage].Live == "" { // what is served may have to be taken over first
		if _, err := a.Pass(ctx, r.Lineage); err != nil {
			return "", err
		}
		return "", o.orderDue(ctx, a, r.Lineage)
	}
	if !asked.Emergency && underWay(state.Lineages[r.Lineage]) || asked.Emergency && (onItsWay(state, r.Lineage) != nil || doneWith(a, r.Lineage, state)) {
		return "", nil
	}
	o.ui.say("ordering a certificate for "+list(policy.Lineages[r.Lineage].Names), "")
	ctx, cancel := context.WithTimeoutCause(ctx, orderPatience, errOrderTooLong)
	defer cancel()
	closed := o.answering(ctx, a)
	pair, err := a.IssueNow(ctx, r.Lineage)
	closed()
	switch {
	case err != nil:
		return "", err
	case !asked.Emergency:
		return pair.ID(), nil
	}
	if state, _, err = a.State(r.Lineage); err != nil {
		return "", err
	}
	if state.Lineages[r.Lineage].Live == pair.ID() { // with a standby key that takes no time
		return a.Offer(r.Lineage, pair)
	}
	if why := state.AgainstEmergency(r.Lineage, pair.Chain); why != "" {
		return "", &exitCode{exitPerson, fmt.Errorf("%s: %s", r.Lineage, why)}
	}
	return a.Offer(r.Lineage, pair) // by a person's word it takes the place of whatever is on its way
}

// underWay reports whether a rollover is in progress, with which to go on.
func underWay(l rollover.Lineage) bool {
	return l.Successor != "" || l.Queued != "" || l.Swapping != nil || l.Phase == rollover.Retiring || !l.Withdrawn.IsZero()
}
