package lab

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
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

// Counts are the results of a hammer up to a moment, or a part of them.
type Counts struct {
	Total    int
	Verified int
	// Failed are the others, lookups without an answer among them.
	Failed    int
	ByOutcome map[Outcome]int
	// MatchedBy counts the verified ones by the TLSA record that matched.
	MatchedBy map[string]int
	// PerResolver counts all by the resolver's index, PerAddress by the mail
	// server's address; that is the zero Addr where it did not come to a connection.
	PerResolver map[int]int
	PerAddress  map[netip.Addr]int
	// Failures are the first of the failed, at most maxFailures, in order of their end.
	Failures                  []Handshake
	FirstFailure, LastFailure time.Time // when they began; zero: none
	Elapsed                   time.Duration

	made []Handshake // all, those that were verified without their Output
}

const maxFailures = 50

func newCounts() Counts {
	return Counts{ByOutcome: map[Outcome]int{}, MatchedBy: map[string]int{}, PerResolver: map[int]int{}, PerAddress: map[netip.Addr]int{}}
}

func (c *Counts) add(h Handshake) {
	c.Total++
	c.ByOutcome[h.Outcome]++
	c.PerResolver[h.Resolver]++
	c.PerAddress[h.Address]++
	if h.Outcome == Verified {
		c.Verified++
		c.MatchedBy[h.MatchedBy]++
		h.Output = ""
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
	c.made = append(c.made, h)
}

// Only counts the handshakes that keep says yes to. Elapsed is then from the
// first one's beginning to the last one's end.
func (c Counts) Only(keep func(Handshake) bool) Counts {
	part := newCounts()
	var first, last time.Time
	for _, h := range c.made {
		if !keep(h) {
			continue
		}
		part.add(h)
		if first.IsZero() || h.Begun.Before(first) {
			first = h.Begun
		}
		if end := h.Begun.Add(h.Took); end.After(last) {
			last = end
		}
	}
	part.Elapsed = last.Sub(first)
	return part
}

// Since counts the handshakes that began at t or later. Whoever was under way at
// t may have met what was before it, and after: they are in neither Since nor Before.
func (c Counts) Since(t time.Time) Counts {
	return c.Only(func(h Handshake) bool { return !h.Begun.Before(t) })
}

// Before counts the handshakes that had ended before t.
func (c Counts) Before(t time.Time) Counts {
	return c.Only(func(h Handshake) bool { return h.Begun.Add(h.Took).Before(t) })
}

// Between counts the handshakes that began at from or later and had ended before to.
func (c Counts) Between(from, to time.Time) Counts { return c.Since(from).Before(to) }

func (t *Tally) note(h Handshake) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.add(h)
	close(t.moved)
	t.moved = make(chan struct{})
}

// Counts returns what was counted so far.
func (t *Tally) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.ByOutcome, c.MatchedBy = maps.Clone(c.ByOutcome), maps.Clone(c.MatchedBy)
	c.PerResolver, c.PerAddress = maps.Clone(c.PerResolver), maps.Clone(c.PerAddress)
	c.Failures, c.made = slices.Clip(c.Failures), slices.Clip(c.made) // which only ever grow
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
	if len(c.PerAddress) > 1 {
		for _, at := range slices.SortedFunc(maps.Keys(c.PerAddress), netip.Addr.Compare) {
			fmt.Fprintf(&b, "\n  %6d at %s", c.PerAddress[at], at)
		}
	}
	for _, h := range c.Failures[:min(3, len(c.Failures))] {
		fmt.Fprintf(&b, "\n  %s resolver %d: %s:\n    %s", h.Begun.Format("15:04:05.000"), h.Resolver, h.Outcome, strings.ReplaceAll(h.Output, "\n", "\n    "))
	}
	return b.String()
}
