package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Delegated is the trouble of a name at or below a delegation in the zone, nil if there is
// none: what is written there nobody sees (RFC 1034, section 4.2.1).
func Delegated(owner tlsa.Owner, zone string, delegates func(name string) bool) *Trouble {
	for name := string(owner); name != zone && name != ""; {
		if delegates(name) {
			return &Trouble{
				Kind: dnsprovider.OutsideZone, Err: fmt.Errorf("the zone %s delegates %s, so nothing that stands there is seen", zone, name),
				Hint: "the records belong into the zone " + name + ", with a provider for that",
			}
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return nil
}

// ReadOnce is [dnsprovider.ReadOnce] with trouble.
func ReadOnce[T any](ctx context.Context, key any, read func(context.Context) (T, *Trouble)) (T, *Trouble) {
	value, err := dnsprovider.ReadOnce(ctx, key, func(ctx context.Context) (T, error) {
		value, t := read(ctx)
		if t != nil {
			return value, t // not a typed nil
		}
		return value, nil
	})
	var t *Trouble
	switch {
	case err == nil:
		return value, nil
	case errors.As(err, &t):
		return value, t
	}
	return value, &Trouble{Kind: dnsprovider.Temporary, Err: err}
}
