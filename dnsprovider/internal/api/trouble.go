package api

import (
	"context"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Trouble is what went wrong, before it is known which operation it belongs to.
type Trouble struct {
	Kind dnsprovider.Kind
	Err  error
	Hint string
	Then Then
	// Limited says that the host is asked too often, and that nothing was done.
	Limited bool
	// Pause is how long the host asked to be left alone; 0: it did not.
	Pause time.Duration
}

// Then says what is to be done about the rest.
type Then uint8

// What is to be done.
const (
	Final     Then = iota // the answer stands: nothing was changed
	Open                  // the request may have been carried out, and the reply is lost
	EachAlone             // it may be the fault of one of several owners
	Disputed              // what stands there is not what was read, or so the host says
)

// Error is the cause.
func (t *Trouble) Error() string { return t.Err.Error() }

// Unwrap gives the cause to errors.Is.
func (t *Trouble) Unwrap() error { return t.Err }

// About makes the error that a caller sees, nil of no trouble. The zone may be unknown.
func (t *Trouble) About(op, provider, zone string, owner tlsa.Owner) error {
	if t == nil {
		return nil
	}
	if zone != "" {
		provider += " " + strings.TrimSuffix(zone, ".")
	}
	return &dnsprovider.Error{Op: op, Provider: provider, Owner: owner, Kind: t.Kind, Err: t.Err, Hint: t.Hint, Pause: t.Pause}
}

// Ended is the trouble of a caller who no longer waits, nil while he does.
func Ended(ctx context.Context) *Trouble {
	if err := ctx.Err(); err != nil {
		return &Trouble{Kind: dnsprovider.Temporary, Err: err}
	}
	return nil
}

// Alias is the trouble of a name that is an alias.
func Alias(owner, target tlsa.Owner) *Trouble {
	err := &dnsprovider.AliasError{Type: "CNAME", At: owner, Target: target}
	return &Trouble{Kind: dnsprovider.Alias, Err: err, Hint: err.Hint()}
}
