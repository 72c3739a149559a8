package dnsprovider

import "context"

// DefaultInFlight is how many requests are on the way to one account at once, for hosts
// that do not document another number.
const DefaultInFlight = 2

// An Account bounds how many requests are on their way at once to one account at a DNS
// host. Providers of several zones at one account share it.
type Account struct{ slots chan struct{} }

// NewAccount makes an account with room for so many requests, at least one.
func NewAccount(inFlight int) *Account {
	return &Account{make(chan struct{}, max(inFlight, 1))}
}

// Do calls request when there is room. The error is that of ctx if it ended before, else
// the request's.
func (a *Account) Do(ctx context.Context, request func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
		return request()
	case <-ctx.Done():
		return ctx.Err()
	}
}
