package demo

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A show is a run of the demo.
type show struct {
	world    *world
	hammer   *hammer
	narrator *narrator
	begun    time.Duration // by the clock since boot
}

// frame is how often the world is looked at.
const frame = 100 * time.Millisecond

// watch looks at the world and tells of it until it is enough. It returns the last look.
func (s *show) watch(ctx context.Context, steps func(sight) []step, enough func(sight) bool) (sight, error) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		v := s.look()
		v.steps = steps(v)
		s.narrator.see(v)
		if enough(v) {
			return v, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v, context.Cause(ctx)
		}
	}
}

func (s *show) look() sight {
	v := s.world.look()
	v.since = s.since()
	v.counts, v.settled = s.hammer.tally.soFar()
	return v
}

func (s *show) since() time.Duration { return s.world.clock.Boot() - s.begun }

// unfinished is why an act did not come to its end.
func (s *show) unfinished(act string, err error) error {
	if !errors.Is(err, errLimit) {
		return fmt.Errorf("%s: %w", act, err)
	}
	if c, _ := s.hammer.tally.soFar(); c.Why != "" {
		err = fmt.Errorf("%w; the last handshake that failed: %s", err, c.Why)
	}
	return fmt.Errorf("%s: %w (hint: is this host very busy?)", act, err)
}
