package api

import (
	"context"
	"sync"
)

// turns lets one at a time change a zone.
type turns struct {
	mu sync.Mutex
	m  map[string]chan struct{}
}

// take waits for the turn to change the zone.
func (t *turns) take(ctx context.Context, zone string) (release func(), trouble *Trouble) {
	t.mu.Lock()
	if t.m == nil {
		t.m = map[string]chan struct{}{}
	}
	if t.m[zone] == nil {
		t.m[zone] = make(chan struct{}, 1)
	}
	turn := t.m[zone]
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, Ended(ctx)
	}
}
