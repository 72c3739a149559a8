package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// swapFirst renews as deploy hooks do: the new certificate is installed, the
// server reloaded, and then the record is changed, without a moment's delay.
func (s *show) swapFirst(ctx context.Context) (Counts, error) {
	w := s.world
	old, next := w.certs[0], w.certs[1]
	s.narrator.begin("1. as scripts do it: the certificate first, its record right after")
	steps := func(v sight) []step { return swapFirstSteps(v, old.number, next.number) }
	if _, err := s.watch(ctx, steps, func(v sight) bool { return v.settled }); err != nil {
		return Counts{}, err
	}
	if err := w.install(next); err != nil {
		return Counts{}, err
	}
	if err := w.mail.reload(); err != nil {
		return Counts{}, err
	}
	w.zone.Set(owner, tlsa.NewRRset(recordTTL, next.record, foreign))
	v, err := s.watch(ctx, steps, done)
	if err != nil {
		return Counts{}, err
	}
	v.counts = s.hammer.tally.restart()
	s.narrator.end(v)
	return v.counts, nil
}

// done reports whether no step is left.
func done(v sight) bool {
	return !slices.ContainsFunc(v.steps, func(s step) bool { return s.part < 1 })
}

func swapFirstSteps(v sight, old, next int) []step {
	if v.serves != next {
		return []step{{name: "swapped"}, {name: "changed"}, {name: "cached"}}
	}
	return []step{
		{name: "swapped", part: 1, note: fmt.Sprintf("certificate %d is in service", next)},
		share("changed", "its record is on %d of %d servers", count(v.servers, without(old)), len(v.servers)),
		share("cached", "and in %d of %d caches", count(v.caches, without(old)), len(v.caches)),
	}
}
