package lab

import (
	"context"
	"sync"
	"time"
)

// HammerOptions say how many handshakes to make, and of what. A handshake costs
// some 13 ms of a core, most of it the start of posttls-finger, and an idle lab some
// 2 %. So a test that runs beside others does with a Rate of 3 to 6; one that is
// alone, and that counts on never hitting a gap, may take 40.
type HammerOptions struct {
	Host     string        // default mx1.example.org
	Port     uint16        // default 25
	Takes    []KeyType     // as in [Lab.Finger]; default any
	Rate     float64       // handshakes a second over all resolvers; default 30
	Parallel int           // at most so many at once; default 4
	Stagger  time.Duration // over which the resolvers' first questions are spread; default Options.TTL
}

func (o HammerOptions) withDefaults(ttl time.Duration) HammerOptions {
	if o.Host == "" {
		o.Host = Host
	}
	if o.Port == 0 {
		o.Port = 25
	}
	if o.Rate == 0 {
		o.Rate = 30
	}
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	if o.Stagger == 0 {
		o.Stagger = ttl
	}
	return o
}

// Hammer makes handshakes from all resolvers in turn until ctx is done, [Tally.Stop]
// or the end of the lab; it returns at once. The caches of the resolvers are staggered:
// resolver i of n asks its first question i/n of Stagger after the start, so that
// their copies of an RRset run out one after the other.
//
// The rate is a wish: a machine that is too slow for it makes fewer.
func (l *Lab) Hammer(ctx context.Context, opts HammerOptions) *Tally {
	opts = opts.withDefaults(l.opts.TTL)
	opts.Rate *= l.opts.Haste
	ctx, cancel := context.WithCancel(ctx)
	tally := &Tally{cancel: cancel, done: make(chan struct{}), moved: make(chan struct{}), begun: time.Now(), counts: newCounts()}
	l.mu.Lock()
	l.tallies = append(l.tallies, tally)
	l.mu.Unlock()
	jobs := make(chan *sender)
	var workers sync.WaitGroup
	for range opts.Parallel {
		workers.Go(func() {
			for s := range jobs {
				tally.note(s.handshake(opts.Host, opts.Port, opts.Takes))
			}
		})
	}
	go func() {
		defer close(tally.done)
		l.drive(ctx, opts, jobs)
		close(jobs)
		workers.Wait() // what has begun is counted, whatever it comes to
	}()
	return tally
}

// drive hands out senders at the wanted rate, each from its own first moment on.
func (l *Lab) drive(ctx context.Context, opts HammerOptions, jobs chan<- *sender) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / opts.Rate))
	defer tick.Stop()
	begun := time.Now()
	for turn := 0; ; turn++ {
		awake := len(l.senders)
		if since := time.Since(begun); since < opts.Stagger {
			awake = 1 + int(since*time.Duration(len(l.senders))/opts.Stagger)
		}
		select {
		case <-ctx.Done():
			return
		case jobs <- l.senders[turn%awake]:
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
