package control

import (
	"errors"
	"fmt"
	"syscall"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrRunning is Listen's: a daemon has the socket already.
	ErrRunning = errors.New("another daemon answers")
	// ErrNone is Do's: there is no socket, or nobody listens, or whoever did ended before the
	// command began. The caller may work on its own.
	ErrNone = errors.New("no daemon answers")
	// ErrWedged is Do's: somebody listens and gives no sign of life. The command may
	// have begun.
	ErrWedged = errors.New("the daemon does not answer")
	// ErrDenied is Do's: the socket is not for this user.
	ErrDenied = errors.New("permission denied")
)

// Causes of the end of Carry's context, see [context.Cause].
var (
	ErrGone     = errors.New("the client has gone")
	ErrStopping = errors.New("the daemon stops")
)

// at makes a sentence of what is wrong with a control socket.
func at(path string, err error, hint string) error {
	if hint != "" {
		hint = " (hint: " + hint + ")"
	}
	return fmt.Errorf("control socket: %w at %s%s", err, path, hint)
}

// cause is the operating system's word without its paths: some are temporary.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
