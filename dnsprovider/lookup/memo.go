package lookup

import (
	"context"
	"sync"
)

// A memo makes each value once, however many ask for it at the same time.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done    chan struct{}
	value   V
	err     error
	dropped bool // given up by the one who made it: whoever still wants it makes it anew
}

// do returns the value for key, from get the first time. What get says after
// its ctx has ended is not kept, and does not fail others.
func (m *memo[K, V]) do(ctx context.Context, key K, get func() (V, error)) (V, error) {
	for {
		c, mine := m.join(key)
		if mine {
			m.fill(ctx, key, c, get)
			return c.value, c.err
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
		if !c.dropped {
			return c.value, c.err
		}
	}
}

func (m *memo[K, V]) join(key K) (c *call[V], mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.calls[key]; ok {
		return c, false
	}
	if m.calls == nil {
		m.calls = map[K]*call[V]{}
	}
	c = &call[V]{done: make(chan struct{}), dropped: true}
	m.calls[key] = c
	return c, true
}

func (m *memo[K, V]) fill(ctx context.Context, key K, c *call[V], get func() (V, error)) {
	defer func() { // also when get panics: nobody waits for ever
		if c.dropped {
			m.mu.Lock()
			delete(m.calls, key)
			m.mu.Unlock()
		}
		close(c.done)
	}()
	c.value, c.err = get()
	c.dropped = ctx.Err() != nil
}
