package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	defaultWorkers = 16
	retryFirst     = 5 * time.Second // after a pass that could not be made
	retryMost      = 5 * time.Minute
)

// Run makes passes over all groups, or over that of one lineage, whenever they
// are due, until ctx ends or seen says that it is enough. Groups that are due
// together share their look-ups. A pass that fails is made again later and
// later; nothing else waits for it.
func (a *Agent) Run(ctx context.Context, lineage string, seen func(Report) (enough bool)) error {
	groups := a.groups
	if lineage != "" {
		g, err := a.group(lineage)
		if err != nil {
			return err
		}
		groups = []*group{g}
	}
	s := schedule{groups: groups, at: make([]time.Time, len(groups)), failures: make([]int, len(groups))}
	for {
		ready, wake := s.due(a.clock.now())
		if len(ready) == 0 {
			if err := a.sleepUntil(ctx, wake); err != nil {
				return nil // asked to stop
			}
			continue
		}
		enough, err := a.round(ctx, &s, ready, seen)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case enough:
			return nil
		}
	}
}

// schedule says which group is due when.
type schedule struct {
	groups   []*group
	at       []time.Time
	failures []int
}

// due are the groups whose time has come, and when the next one's will.
func (s *schedule) due(now time.Time) (ready []int, wake time.Time) {
	for i, at := range s.at {
		if !at.After(now) {
			ready = append(ready, i)
		} else if wake.IsZero() || at.Before(wake) {
			wake = at
		}
	}
	return ready, wake
}

// round makes one pass over each of some groups.
func (a *Agent) round(ctx context.Context, s *schedule, ready []int, seen func(Report) bool) (enough bool, err error) {
	dns := a.lookup.NewPass(a.zones())
	reports, errs := make([]Report, len(ready)), make([]error, len(ready))
	var wait errgroup.Group
	wait.SetLimit(a.workers())
	for n, i := range ready {
		wait.Go(func() error {
			reports[n], errs[n] = a.pass(ctx, s.groups[i], dns)
			return nil
		})
	}
	_ = wait.Wait() // each has its own
	if ctx.Err() != nil {
		return false, nil
	}
	for n, i := range ready {
		s.plan(i, reports[n], errs[n], a)
		if errs[n] != nil {
			if len(s.groups) == 1 {
				err = errors.Join(err, errs[n])
				continue
			}
			a.log.Error("pass failed", "lineages", s.groups[i].names, "err", errs[n], "again", s.at[i])
			continue
		}
		enough = seen(reports[n]) || enough
	}
	return enough, err
}

func (a *Agent) workers() int {
	if a.cfg.Workers > 0 {
		return a.cfg.Workers
	}
	return defaultWorkers
}

// plan sets when a group is due next: as its plan says, when its files are to be
// polled, or after a failure later each time.
func (s *schedule) plan(i int, r Report, err error, a *Agent) {
	now := a.clock.now()
	if err != nil {
		wait := min(retryFirst<<min(s.failures[i], 10), retryMost)
		s.failures[i]++
		s.at[i] = now.Add(wait + rand.N(wait/4+1)) // spread, so that many do not come together
		return
	}
	s.failures[i] = 0
	if len(r.Failed) > 0 {
		s.failures[i]++
	}
	next := r.Plan.Wake()
	if poll := now.Add(r.Policy.Timing.Poll); next.IsZero() || poll.Before(next) {
		next = poll
	}
	if len(r.Failed) > 0 {
		next = later(next, now.Add(min(time.Second<<min(s.failures[i], 10), time.Minute)))
	}
	s.at[i] = next
}

// sleepUntil waits for a moment of our own time.
func (a *Agent) sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(max(at.Sub(a.clock.now()), time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
