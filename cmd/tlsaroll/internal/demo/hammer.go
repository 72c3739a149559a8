package demo

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// resolvers is how many senders there are, each with a resolver of its own.
	resolvers = 4
	// pause is what a sender waits between two deliveries.
	pause = 40 * time.Millisecond
)

// A hammer makes handshakes without end.
type hammer struct {
	tally  tally
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// strike sets all senders to work. The first question of each comes later than
// that of the one before, so that their copies of the records run out one after the
// other. When ctx ends, so do the handshakes under way, uncounted.
func strike(ctx context.Context, senders []sender) *hammer {
	h := &hammer{tally: tally{verified: make([]int, len(senders))}}
	going, cancel := context.WithCancel(ctx)
	h.cancel = cancel
	for i, s := range senders {
		h.work.Go(func() {
			wait := recordTTL * time.Duration(i) / time.Duration(len(senders))
			for pauses(going, wait) {
				if err := s.handshake(ctx); ctx.Err() == nil {
					h.tally.note(i, err)
				}
				wait = pause
			}
		})
	}
	return h
}

// stop lets the handshakes under way come to their end.
func (h *hammer) stop() {
	h.cancel()
	h.work.Wait()
}

// pauses waits, and reports whether to go on.
func pauses(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Counts are the handshakes of one way to renew a certificate.
type Counts struct {
	Handshakes, Failed int
	Why                string // the last one failed
}

// A tally counts handshakes.
type tally struct {
	mu       sync.Mutex
	counts   Counts
	verified []int // by sender
}

func (t *tally) note(sender int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Handshakes++
	if err == nil {
		t.verified[sender]++
		return
	}
	t.counts.Failed++
	t.counts.Why = err.Error()
}

// soFar returns the counts, and whether every sender has delivered.
func (t *tally) soFar() (Counts, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts, !slices.Contains(t.verified, 0)
}

// restart returns the counts and begins anew.
func (t *tally) restart() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	t.counts = Counts{}
	return c
}
