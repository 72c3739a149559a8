package certwatch

import (
	"errors"
	"fmt"
	"time"
)

// What can be wrong with a pair, for [errors.Is]. Errors of reading and of the
// stash wrap the operating system's, too (fs.ErrNotExist, fs.ErrPermission, …).
var (
	ErrUnsettled     = errors.New("still being written")
	ErrDamaged       = errors.New("damaged")
	ErrNoCertificate = errors.New("no certificate")
	ErrNoKey         = errors.New("no private key")
	ErrSeveralKeys   = errors.New("several private keys")
	ErrEncrypted     = errors.New("private key is encrypted")
	ErrUnsupported   = errors.New("private key of an unsupported kind")
	ErrMismatch      = errors.New("private key does not fit the certificate")
	ErrAmbiguous     = errors.New("several certificates fit the key")
	ErrExposed       = errors.New("private key is open to everybody")
	ErrNotRegular    = errors.New("not a regular file")
	ErrTooLarge      = errors.New("too large")
	ErrNotYetValid   = errors.New("certificate is not valid yet")
	ErrExpired       = errors.New("certificate has expired")
	ErrName          = errors.New("certificate is not for this name")
)

// An Error says where something is wrong, what, and what to do. Its Kind is one
// of the package's sentinels or an error of the operating system; it is not
// printed, because Problem says it in full.
type Error struct {
	Where   string // a path, or what was handed over: "certificate", "key"
	Problem string
	Hint    string // may be empty
	Kind    error
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Where + ": " + e.Problem
	}
	return e.Where + ": " + e.Problem + " (hint: " + e.Hint + ")"
}

func (e *Error) Unwrap() error { return e.Kind }

// An UnsettledError is the [ErrUnsettled] of [Reader.Load].
type UnsettledError struct {
	Path  string
	Until time.Time // look again then; zero: at the next occasion
	Cause string
}

func (e *UnsettledError) Error() string {
	return fmt.Sprintf("%s: still being written: %s", e.Path, e.Cause)
}

// Is makes every UnsettledError an [ErrUnsettled].
func (e *UnsettledError) Is(target error) bool { return target == ErrUnsettled }
