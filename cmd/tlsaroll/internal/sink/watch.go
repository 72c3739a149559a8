package sink

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Watch keeps what a sink has seen, and waits until it is enough.
type Watch struct {
	Cases []Case
	Local []netip.Addr // addresses of this host
	Now   func() time.Time
	// Quiet is how long a sender that left with its mail must not have come back, to count as
	// one that keeps it: it may try again at once by other means.
	Quiet time.Duration
	// Patience is how long is waited for cases without which there is a verdict too, once
	// nothing happens any more.
	Patience time.Duration
	// Progress is told what came so far, whenever that may have changed. It may be nil.
	Progress func([]Result)

	mu     sync.Mutex
	visits map[int]Visit
	news   chan struct{}
}

// Seen takes in a visit, anew where it is known; it is for [Config].
func (w *Watch) Seen(v Visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.visits == nil {
		w.visits = map[int]Visit{}
	}
	w.visits[v.Serial] = v
	if w.news != nil {
		close(w.news)
		w.news = nil
	}
}

// look returns the results so far, and a channel that is closed when there is more.
func (w *Watch) look() ([]Result, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.news == nil {
		w.news = make(chan struct{})
	}
	visits := slices.SortedFunc(maps.Values(w.visits), func(a, b Visit) int { return cmp.Compare(a.Serial, b.Serial) })
	return Results(w.Cases, visits, w.Local), w.news
}

// Results are what came of each case so far.
func (w *Watch) Results() []Result {
	results, _ := w.look()
	return results
}

// Await waits until the cases of a round, which began at some time, are decided, or ctx ends.
func (w *Watch) Await(ctx context.Context, round int, began time.Time) error {
	for {
		results, news := w.look()
		if w.Progress != nil {
			w.Progress(results)
		}
		over, ok := w.over(results, round, began)
		if ok && !w.Now().Before(over) {
			return nil
		}
		if err := w.sleep(ctx, over, ok, news); err != nil {
			return err
		}
	}
}

// sleep returns when there is news, or at some time, if that is known.
func (w *Watch) sleep(ctx context.Context, until time.Time, known bool, news <-chan struct{}) error {
	var at <-chan time.Time
	if known {
		timer := time.NewTimer(until.Sub(w.Now()))
		defer timer.Stop()
		at = timer.C
	}
	select {
	case <-news:
	case <-at:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// over is when a round is over unless something comes before; not ok: not without that.
func (w *Watch) over(results []Result, round int, began time.Time) (at time.Time, ok bool) {
	at, last, missing := began, began, false
	for _, r := range results {
		for _, v := range r.Visits {
			last = latest(last, v.Begun, v.Ended)
		}
		if r.Round != round {
			continue
		}
		decided, ever := r.decidedAt(w.Quiet)
		switch {
		case ever:
			at = latest(at, decided)
		case r.Outcome == Absent && !r.Kind.Needed():
			missing = true
		default:
			return at, false
		}
	}
	if missing {
		at = latest(at, last.Add(w.Patience))
	}
	return at, true
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
