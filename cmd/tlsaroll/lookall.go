package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// lookAll judges targets, so many at a time. What came of each is given to add in the
// order of the targets, as soon as it and all before it are known; a slow one holds up what is
// shown after it, and no more. How many are known goes to progress. When ctx ends, what is
// known by then is given, without what is cut short.
func lookAll(ctx context.Context, s sight, now func() time.Time, targets []target, parallel int, progress func(known int), add func(audit.Report)) {
	type outcome struct {
		at     int
		report audit.Report
	}
	outcomes := make(chan outcome)
	go func() {
		defer close(outcomes)
		var wait errgroup.Group
		wait.SetLimit(parallel)
		for i, t := range targets {
			if ctx.Err() != nil {
				break
			}
			wait.Go(func() error {
				if ctx.Err() != nil {
					return nil
				}
				if r := t.judge(ctx, s, now); ctx.Err() == nil {
					outcomes <- outcome{i, r}
				}
				return nil
			})
		}
		_ = wait.Wait() // failures are part of what was seen
	}()
	next, known, held := 0, 0, map[int]audit.Report{}
	for o := range outcomes {
		known++
		held[o.at] = o.report
		for r, ok := held[next]; ok; r, ok = held[next] {
			add(r)
			delete(held, next)
			next++
		}
		progress(known)
	}
	for _, i := range slices.Sorted(maps.Keys(held)) {
		add(held[i])
	}
}
