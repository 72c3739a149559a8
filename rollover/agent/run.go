package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	retryFirst = 5 * time.Second // after a pass that could not be made
	retryMost  = 5 * time.Minute
)

// Run makes passes over all groups, or over that of one lineage, whenever they
// are due, until ctx ends or seen says that it is enough. Groups that come due
// together share their look-ups; none waits for another. A pass that fails is made
// again, later each time; if it was for one lineage alone, Run returns its error.
//
// Orders that are due are placed beside the passes, which wait for none.
//
// Meanwhile the staged files are watched: a change of theirs is noticed at once, and
// at the next poll where no event tells of it.
//
// One pass at a time is shown to seen, which may be nil; of all groups those that
// could not be made, too. When Run returns, no pass is under way.
func (a *Agent) Run(ctx context.Context, lineage string, seen func(Report) (enough bool)) error {
	if lineage != "" {
		if _, err := a.group(lineage); err != nil {
			return err
		}
	}
	if seen == nil {
		seen = func(Report) bool { return false }
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bell := make(chan struct{}, 1)
	a.hang(bell)
	defer a.unhang(bell)
	defer a.watch(ctx, lineage)()
	r := &runner{agent: a, only: lineage, entries: map[*group]*entry{}, orders: map[string]time.Time{}, results: make(chan result), seen: seen}
	defer r.drain()
	defer stop()
	for ctx.Err() == nil {
		wake := r.start(ctx)
		a.next.Store(nanoseconds(wake))
		if enough, err := r.wait(ctx, bell, wake); enough || err != nil {
			return err
		}
	}
	return nil
}

// Alive returns when [Agent.Run] has answered: passes are made when they are due.
// The error is that of ctx.
func (a *Agent) Alive(ctx context.Context) error {
	answer := make(chan struct{})
	select {
	case a.pings <- answer:
		<-answer
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NextPass is when [Agent.Run] makes the next pass, zero while it makes one or none.
func (a *Agent) NextPass() time.Time {
	if at := a.next.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Journal is nil as long as what is decided can be written down where the next start
// looks for it.
func (a *Agent) Journal() error { return a.latest().rooms.Store.There() }

func (a *Agent) hang(bell chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bells[bell] = true
}

func (a *Agent) unhang(bell chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.bells, bell)
}

// runner makes passes when they are due.
type runner struct {
	agent   *Agent
	only    string // one lineage; "": all
	seen    func(Report) bool
	entries map[*group]*entry
	orders  map[string]time.Time // by lineage: when something is to be done about its order
	results chan result
	running int
}

// entry says when a group is due.
type entry struct {
	at       time.Time // zero: now
	running  bool
	failures int
	said     string // the failure that was logged
}

type result struct {
	group *group
	Report
	err error
}

// start begins the passes that are due, and says when the next one will be.
func (r *runner) start(ctx context.Context) (wake time.Time) {
	now := r.agent.clock.now()
	for _, g := range r.groups() {
		e := r.entries[g]
		if e == nil {
			e = &entry{}
			r.entries[g] = e
		}
		switch {
		case e.running:
		case due(e.at, now) || len(g.nudge) > 0:
			e.running = true
			r.running++
			go func() {
				p, err := r.agent.passOver(ctx, g, false)
				r.results <- result{g, p, err}
			}()
		default:
			wake = earliest(wake, e.at)
		}
	}
	return earliest(wake, r.order(now))
}

// order has the orders attended to that are due, and says when the next one is. What
// comes of one is known with the pass after it.
func (r *runner) order(now time.Time) (wake time.Time) {
	for name, at := range r.orders {
		if now.Before(at) {
			wake = earliest(wake, at)
			continue
		}
		delete(r.orders, name)
		r.agent.begin(name, false)
	}
	return wake
}

// reconsider says when something is to be done about the orders of a pass's lineages.
func (r *runner) reconsider(lineages []string) {
	for _, name := range r.agent.ordered(lineages) {
		if at := r.agent.considered(name); at.IsZero() {
			delete(r.orders, name)
		} else {
			r.orders[name] = at
		}
	}
}

func (r *runner) groups() []*group {
	a := r.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.only != "" {
		return []*group{a.of[r.only]}
	}
	return slices.Clone(a.groups)
}

// wait sleeps until something is due or comes to its end.
func (r *runner) wait(ctx context.Context, bell <-chan struct{}, wake time.Time) (enough bool, err error) {
	var timer <-chan time.Time
	if !wake.IsZero() {
		t := time.NewTimer(max(wake.Sub(r.agent.clock.now()), time.Millisecond))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-timer:
	case <-bell:
	case answer := <-r.agent.pings:
		close(answer)
	case end := <-r.results:
		return r.ended(ctx, end)
	}
	return false, nil
}

// ended enters the end of a pass.
func (r *runner) ended(ctx context.Context, end result) (enough bool, err error) {
	r.running--
	e := r.entries[end.group]
	e.running = false
	now := r.agent.clock.now()
	switch {
	case ctx.Err() != nil:
		return false, nil
	case errors.Is(end.err, errJoined):
		delete(r.entries, end.group) // the one that took it in is nudged
		return false, nil
	case end.err != nil && r.only != "":
		return false, end.err
	case end.err != nil:
		e.failed(now)
		if text := end.err.Error(); text != e.said {
			e.said = text
			r.agent.log.Error("pass failed", "lineages", end.Lineages, "err", end.err, "next_look", e.at)
		}
		return r.seen(Report{Lineages: end.Lineages, Err: end.err, At: now}), nil
	}
	e.at, e.said, e.failures = end.Again, "", 0
	r.reconsider(end.Lineages)
	return r.seen(end.Report), nil
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// failed sets when to try again after a pass that could not be made.
func (e *entry) failed(now time.Time) {
	wait := min(retryFirst<<min(e.failures, 10), retryMost)
	e.failures++
	e.at = now.Add(wait + rand.N(wait/4+1)) // spread, so that many do not come together
}

// drain waits for the passes that are under way; they end with their context, or
// when the action that they have begun does.
func (r *runner) drain() {
	for r.running > 0 {
		select {
		case <-r.results:
			r.running--
		case answer := <-r.agent.pings:
			close(answer)
		}
	}
}
