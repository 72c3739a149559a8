package agent

import (
	"context"
	"errors"
	"slices"
)

// follower is somebody who watches the passes over one lineage's group. What it is
// late for is replaced by the next.
type follower struct {
	lineage string
	since   uint64 // passes that had begun by then are none of its
	reports chan Report
}

// Follow shows seen the passes over a lineage's group that others make in this
// process, as [Agent.Run] does, until ctx ends or seen says that it is enough. The first
// is one that begins from now on, and has heard what was said before. The error of a
// pass that could not be made ends it, too; when the agent is closed that is
// [ErrClosed]. With another configuration it goes on with the passes of the agent's heir.
func (a *Agent) Follow(ctx context.Context, lineage string, seen func(Report) (enough bool)) error {
	for {
		a = a.latest()
		err := a.followOne(ctx, lineage, seen)
		if a.heir.Load() == nil || !errors.Is(err, ErrClosed) {
			return err
		}
	}
}

// followOne is Follow as far as the agent has no heir.
func (a *Agent) followOne(ctx context.Context, lineage string, seen func(Report) (enough bool)) error {
	if _, err := a.group(lineage); err != nil {
		return err
	}
	f := &follower{lineage: lineage, reports: make(chan Report, 1)}
	a.mu.Lock()
	f.since = a.begun
	a.follow[f] = true
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.follow, f)
		a.mu.Unlock()
	}()
	a.Nudge(lineage)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.life.Done():
			return ErrClosed
		case r := <-f.reports:
			switch {
			case a.life.Err() != nil:
				return ErrClosed // that is why it failed
			case r.Err != nil:
				return r.Err
			case seen(r):
				return nil
			}
		}
	}
}

// number counts a pass that begins.
func (a *Agent) number() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun++
	return a.begun
}

// tellFollowers shows a pass to who follows one of its lineages, and did when it began.
func (a *Agent) tellFollowers(number uint64, r Report, err error) {
	r.Err = err
	a.mu.Lock()
	defer a.mu.Unlock()
	for f := range a.follow {
		if number <= f.since || !slices.Contains(r.Lineages, f.lineage) {
			continue
		}
		select {
		case <-f.reports: // it has not come to that
		default:
		}
		f.reports <- r // nobody else puts one in: a.mu is held
	}
}
