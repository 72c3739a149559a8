package dnsprovider

import (
	"context"
	"sync"
)

// OnePass returns a context for one pass over what is to be done. Under it a provider
// whose host gives a whole zone at a time reads each zone once, however many RRsets are
// asked for, and again only after it has changed something there. Hosts limit how
// often they may be asked, and a daemon asks for years.
func OnePass(ctx context.Context) context.Context {
	return context.WithValue(ctx, passKey{}, &readings{m: map[any]*reading{}})
}

type passKey struct{}

type readings struct {
	mu sync.Mutex
	m  map[any]*reading
}

// A reading is made once; who comes meanwhile waits for it.
type reading struct {
	done  chan struct{}
	value any
	err   error
}

// ReadOnce returns what read found for this key in this pass: key stands for a provider and
// a zone, and is compared. Outside a pass, see [OnePass], read is called each time. An
// error counts for the pass too, unless it is the caller's context that ended.
func ReadOnce[T any](ctx context.Context, key any, read func(context.Context) (T, error)) (T, error) {
	all, ok := ctx.Value(passKey{}).(*readings)
	if !ok {
		return read(ctx)
	}
	for {
		all.mu.Lock()
		r, there := all.m[key]
		if !there {
			r = &reading{done: make(chan struct{})}
			all.m[key] = r
		}
		all.mu.Unlock()
		if !there {
			value, err := read(ctx)
			r.value, r.err = value, err
			if ctx.Err() != nil {
				ForgetReading(ctx, key)
			}
			close(r.done)
			return value, err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
		if r.err == nil || ctx.Err() != nil || !all.forgotten(key, r) {
			value, _ := r.value.(T)
			return value, r.err
		}
	}
}

// forgotten reports that the reading of key is not r any more: whoever made it was cut short.
func (all *readings) forgotten(key any, r *reading) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.m[key] != r
}

// ForgetReading drops what was read for key in this pass. Providers call it before a change.
func ForgetReading(ctx context.Context, key any) {
	if all, ok := ctx.Value(passKey{}).(*readings); ok {
		all.mu.Lock()
		delete(all.m, key)
		all.mu.Unlock()
	}
}
