package memory

import (
	"context"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// call is what a fault befalls.
type call uint8

const (
	applying call = iota
	reading
)

// stage is when within a call the error strikes.
type stage uint8

const (
	beforeCommit stage = iota // nothing was changed
	afterCommit               // the change was made, and only the reply is wrong
)

// A Fault is what goes wrong with one call of a zone's provider. Faults befall the
// calls in the order in which they were injected, one each.
type Fault struct {
	call   call
	stage  stage
	kind   dnsprovider.Kind // of the error; 0: none
	cause  error
	owners []tlsa.Owner // whom the error befalls; none: all
	delay  time.Duration
	during func()
}

// Inject queues faults for the calls to come.
func (z *Zone) Inject(faults ...Fault) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, f := range faults {
		z.faults[f.call] = append(z.faults[f.call], f)
	}
}

// Fails makes the next Apply fail for these owners, for all if none are named:
// nothing is changed there, and the error is of that kind with that cause (which may be nil).
func Fails(kind dnsprovider.Kind, cause error, owners ...tlsa.Owner) Fault {
	return Fault{call: applying, stage: beforeCommit, kind: kind, cause: cause, owners: owners}
}

// LostReply makes the next Apply carry out its changes and report
// [dnsprovider.ErrTemporary] for each, as if the reply had been lost.
func LostReply() Fault {
	return Fault{call: applying, stage: afterCommit, kind: dnsprovider.Temporary, cause: errLostReply}
}

// Slow makes the next Apply take that long, or until its context is done: then
// nothing is changed.
func Slow(d time.Duration) Fault { return Fault{call: applying, delay: d} }

// Meanwhile runs edit when the next Apply has begun and has not yet looked at the
// copy: somebody else is quicker.
func Meanwhile(edit func()) Fault { return Fault{call: applying, during: edit} }

// FailsToRead makes the next RRset fail.
func FailsToRead(kind dnsprovider.Kind, cause error) Fault {
	return Fault{call: reading, kind: kind, cause: cause}
}

// SlowToRead makes the next RRset take that long, or until its context is done.
func SlowToRead(d time.Duration) Fault { return Fault{call: reading, delay: d} }

// take removes and returns the fault for this call; the zero Fault is none.
func (z *Zone) take(c call) Fault {
	z.mu.Lock()
	defer z.mu.Unlock()
	if len(z.faults[c]) == 0 {
		return Fault{}
	}
	f := z.faults[c][0]
	z.faults[c] = z.faults[c][1:]
	return f
}

// begin lets pass what happens before the zone is looked at.
func (f Fault) begin(ctx context.Context) error {
	if f.delay > 0 {
		timer := time.NewTimer(f.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.during != nil {
		f.during()
	}
	return nil
}

func (f Fault) befalls(owner tlsa.Owner) bool {
	return f.kind != 0 && (len(f.owners) == 0 || slices.Contains(f.owners, owner))
}
