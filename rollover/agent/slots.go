package agent

import "context"

// slots let only so many do something at once.
type slots chan struct{}

func newSlots(n int) slots { return make(slots, n) }

// enter waits for a slot. The error is that of ctx.
func (s slots) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
