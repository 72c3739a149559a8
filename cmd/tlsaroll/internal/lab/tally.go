package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Tally counts the handshakes of a [Lab.Hammer] while they are made.
type Tally struct {
	cancel context.CancelFunc
	done   chan struct{}
	begun  time.Time

	mu     sync.Mutex
	moved  chan struct{} // closed and replaced at each handshake
	counts Counts
}

// Counts are the results of a hammer up to a moment.
type Counts struct {
	Total    int
	Verified int
	// Failed are the others, lookups without an answer among them.
	Failed    int
	ByOutcome map[Outcome]int
	// MatchedBy counts the verified ones by the TLSA record that matched.
	MatchedBy map[string]int
	// PerResolver counts all by the resolver's index.
	PerResolver map[int]int
	// Failures are the first of the failed, at most maxFailures, in order of their end.
	Failures                  []Handshake
	FirstFailure, LastFailure time.Time // when they began; zero: none
	Elapsed                   time.Duration
}

const maxFailures = 50

func (t *Tally) note(h Handshake) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.counts
	if c.ByOutcome == nil {
		c.ByOutcome, c.MatchedBy, c.PerResolver = map[Outcome]int{}, map[string]int{}, map[int]int{}
	}
	c.Total++
	c.ByOutcome[h.Outcome]++
	c.PerResolver[h.Resolver]++
	if h.Outcome == Verified {
		c.Verified++
		c.MatchedBy[h.MatchedBy]++
	} else {
		c.Failed++
		if c.FirstFailure.IsZero() || h.Begun.Before(c.FirstFailure) {
			c.FirstFailure = h.Begun
		}
		if h.Begun.After(c.LastFailure) {
			c.LastFailure = h.Begun
		}
		if len(c.Failures) < maxFailures {
			c.Failures = append(c.Failures, h)
		}
	}
	close(t.moved)
	t.moved = make(chan struct{})
}

// Counts returns what was counted so far.
func (t *Tally) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.ByOutcome, c.MatchedBy, c.PerResolver = maps.Clone(c.ByOutcome), maps.Clone(c.MatchedBy), maps.Clone(c.PerResolver)
	c.Failures = slices.Clone(c.Failures)
	c.Elapsed = time.Since(t.begun)
	return c
}

// Until waits until the counts satisfy enough, the hammer has stopped or ctx is
// done, which is an error.
func (t *Tally) Until(ctx context.Context, enough func(Counts) bool) error {
	for {
		t.mu.Lock()
		moved := t.moved
		t.mu.Unlock()
		c := t.Counts()
		if enough(c) {
			return nil
		}
		select {
		case <-moved:
		case <-t.done:
			if enough(t.Counts()) {
				return nil
			}
			return fmt.Errorf("hammer: stopped after %d handshakes", c.Total)
		case <-ctx.Done():
			return fmt.Errorf("hammer: after %d handshakes: %w", c.Total, ctx.Err())
		}
	}
}

// Stop ends the hammer, lets what has begun come to its end, and returns the counts.
func (t *Tally) Stop() Counts {
	t.cancel()
	<-t.done
	return t.Counts()
}

// String says the counts in a few lines, with the first failures.
func (c Counts) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d handshakes in %s: %d verified, %d failed", c.Total, c.Elapsed.Round(100*time.Millisecond), c.Verified, c.Failed)
	for _, o := range slices.Sorted(maps.Keys(c.ByOutcome)) {
		fmt.Fprintf(&b, "; %s %d", o, c.ByOutcome[o])
	}
	for _, record := range slices.Sorted(maps.Keys(c.MatchedBy)) {
		fmt.Fprintf(&b, "\n  %6d matched by %s", c.MatchedBy[record], record)
	}
	for _, h := range c.Failures[:min(3, len(c.Failures))] {
		fmt.Fprintf(&b, "\n  %s resolver %d: %s:\n    %s", h.Begun.Format("15:04:05.000"), h.Resolver, h.Outcome, strings.ReplaceAll(h.Output, "\n", "\n    "))
	}
	return b.String()
}
