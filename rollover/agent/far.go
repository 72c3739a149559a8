package agent

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// far is one look at all that may keep us waiting: every address of every
// endpoint, where a tarpit holds its banner back for half a minute at each
// connection, and MTA-STS policies. It goes on in the background while passes do
// what is due; the first one after its end gets all of it at once.
type far struct {
	done    chan struct{}
	cancel  context.CancelFunc
	awaited atomic.Bool // a pass waits for it, and need not be asked for

	// Set when done.
	presented map[string]presented // by lineage
	chains    map[tlsa.ChainID]*tlsa.Chain
	policies  map[string]mtaState // by MX host
	audited   audited
}

// lookFar begins a look at a group's endpoints where one is due, and waits for
// it: a patient caller to its end, others until something else is due. While a
// swap settles there is none, for then this host alone counts.
func (a *Agent) lookFar(ctx context.Context, g *group, patient bool) error {
	if g.settling() {
		return nil
	}
	if g.far == nil && due(g.plan.LookServed, a.clock.now()) {
		g.far = a.beginFar(g)
	}
	if g.far == nil {
		return nil
	}
	var other <-chan time.Time
	var nudge <-chan struct{}
	if !patient {
		nudge = g.nudge
		if at := a.otherwiseDue(g); !at.IsZero() {
			timer := time.NewTimer(at.Sub(a.clock.now()))
			defer timer.Stop()
			other = timer.C
		}
	}
	g.far.awaited.Store(true)
	select {
	case <-g.far.done:
	case <-nudge:
	case <-other:
	case <-ctx.Done():
	}
	g.far.awaited.Store(false)
	return ctx.Err()
}

// otherwiseDue is when a group is due for another reason than its endpoints.
func (a *Agent) otherwiseDue(g *group) time.Time {
	at := g.plan.LookDNS
	for _, l := range g.state.Lineages {
		if l.Successor != "" {
			at = earliest(at, l.ReadyAt)
		}
	}
	if !g.book.polled.IsZero() {
		at = earliest(at, g.book.polled.Add(g.base.Timing.Poll))
	}
	return earliest(at, g.book.recheck)
}

// beginFar starts a look at a group's endpoints.
func (a *Agent) beginFar(g *group) *far {
	ctx, cancel := context.WithCancel(a.life)
	f := &far{done: make(chan struct{}), cancel: cancel}
	names, policy, hosts, known, last := g.names, g.policy, a.policyHosts(g), maps.Clone(g.book.policies), g.book.audited
	a.background.Go(func() {
		defer cancel()
		defer func() {
			// in this order: whoever gives up waiting in between finds it done
			if close(f.done); !f.awaited.Load() {
				a.ring(g)
			}
		}()
		dns, _ := a.shared(0)
		policies := make(chan map[string]mtaState, 1)
		a.background.Go(func() { policies <- a.lookPolicies(ctx, dns, hosts, known) })
		var seen map[target]audit.Address
		f.presented, f.chains, seen = a.visit(ctx, visit{dns, names, policy, a.probes, func(target) bool { return true }})
		f.audited = a.audits(ctx, dns, names, policy, seen, last)
		f.policies = <-policies
	})
	return f
}

// takeFar enters a look that has come to its end into an observation.
func (g *group) takeFar(seen *rollover.Observation, b *book) (taken bool) {
	if g.far == nil {
		return false
	}
	select {
	case <-g.far.done:
	default:
		return false
	}
	g.far.enter(seen)
	b.policies, b.audited = g.far.policies, g.far.audited
	return true
}

func (f *far) enter(seen *rollover.Observation) {
	maps.Copy(seen.Chains, f.chains)
	for name, p := range f.presented {
		view := seen.Lineages[name]
		view.Addresses, view.Served = p.addresses, p.served
		seen.Lineages[name] = view
	}
}

// abandon gives up a look under way: what it saw would be of a time before the
// pairs changed.
func (g *group) abandon() {
	if g.far != nil {
		g.far.cancel()
		g.far = nil
	}
}

// lookNear looks at the addresses of this host that judge a swap. A pass waits for
// it.
func (a *Agent) lookNear(ctx context.Context, g *group, seen *rollover.Observation) {
	var judges []string
	for _, l := range g.state.Lineages {
		if l.Swapping != nil {
			judges = append(judges, l.Swapping.Judge...)
		}
	}
	if len(judges) == 0 || !due(g.plan.LookServed, a.clock.now()) {
		return
	}
	dns, _ := a.shared(0)
	near := &far{}
	near.presented, near.chains, _ = a.visit(ctx, visit{dns, g.names, g.policy, a.judges, func(t target) bool { return slices.Contains(judges, t.address.String()) }})
	near.enter(seen)
}

func due(at, now time.Time) bool { return at.IsZero() || !now.Before(at) }
