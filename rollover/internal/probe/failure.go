package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// A failure is a step that did not lead on, with what that says of the server. An
// error of another kind, such as a lost connection, says nothing: Unreachable.
type failure struct {
	outcome Outcome
	err     error
}

// deferred is what a server said that puts something off.
type deferred struct{ reply }

func (e deferred) Error() string { return "the server said " + e.String() }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(o Outcome, format string, args ...any) error {
	return &failure{o, fmt.Errorf(format, args...)}
}

func garbled(format string, args ...any) error { return failed(ProtocolError, format, args...) }

// outcomeOf says what err means; it is not nil.
func outcomeOf(err error) Outcome {
	var f *failure
	if errors.As(err, &f) {
		return f.outcome
	}
	return Unreachable
}

// noAnswer is the cause where a step took too long.
type noAnswer struct{ after time.Duration }

func (e noAnswer) Error() string { return fmt.Sprintf("no answer in %s", e.after) }

// Timeout makes it a timeout for who asks as one asks a [net.Error].
func (noAnswer) Timeout() bool { return true }

// Is makes it equal to the standard library's deadline error.
func (noAnswer) Is(target error) bool { return target == context.DeadlineExceeded }

// plain leaves out which ports the connection was between: they differ each time,
// and the same trouble should read the same. A failure is left as it is.
func plain(err error) error {
	var f *failure
	var op *net.OpError
	if !errors.As(err, &f) && errors.As(err, &op) && op.Op != "remote error" {
		return op.Err
	}
	return err
}
