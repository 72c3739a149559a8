package probe

import (
	"context"
	"net/netip"
	"sync"
)

// lanes let one connection at a time through to each address: servers count them.
type lanes struct {
	mu   sync.Mutex
	busy map[netip.AddrPort]chan struct{} // closed when the lane is free again
}

// enter waits until the lane is free. Its error is the cause of ctx's end.
func (l *lanes) enter(ctx context.Context, addr netip.AddrPort) (leave func(), err error) {
	for {
		free, taken := l.take(addr)
		if !taken {
			return func() { l.leave(addr, free) }, nil
		}
		select {
		case <-free:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (l *lanes) take(addr netip.AddrPort) (free chan struct{}, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if free, taken = l.busy[addr]; taken {
		return free, true
	}
	if l.busy == nil {
		l.busy = map[netip.AddrPort]chan struct{}{}
	}
	free = make(chan struct{})
	l.busy[addr] = free
	return free, false
}

func (l *lanes) leave(addr netip.AddrPort, free chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, addr)
	close(free)
}
