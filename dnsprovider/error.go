package dnsprovider

import (
	"errors"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Kind says what an error means for what to do next.
type Kind uint8

// The kinds of errors. Only Conflict and Temporary pass by themselves.
const (
	_           Kind = iota
	Conflict         // the RRset is not what the change assumes: look again, plan again
	Refused          // the provider does not let us: its policy, a right, a key or token
	NoZone           // no zone found, or the server does not serve it
	OutsideZone      // the name lies in no zone, or in another zone, of this provider
	Alias            // a CNAME or DNAME stands in the way: the records belong where it leads
	Unauthentic      // the reply is not proven to come from who holds the key
	Temporary        // no answer, or the server is in trouble: try again later
	Malformed        // the change, or the reply, is not understood
	Unsupported      // the provider has no means to do this
	Ignored          // the provider said it was done, and it is not
)

// The kinds as sentinels for errors.Is.
var (
	ErrConflict    = errors.New("conflict")
	ErrRefused     = errors.New("refused")
	ErrNoZone      = errors.New("no zone")
	ErrOutsideZone = errors.New("outside the zone")
	ErrAlias       = errors.New("alias")
	ErrUnauthentic = errors.New("unauthentic")
	ErrTemporary   = errors.New("temporary")
	ErrMalformed   = errors.New("malformed")
	ErrUnsupported = errors.New("unsupported")
	ErrIgnored     = errors.New("ignored")
)

// Err returns the sentinel of the kind, nil for no kind.
func (k Kind) Err() error {
	switch k {
	case Conflict:
		return ErrConflict
	case Refused:
		return ErrRefused
	case NoZone:
		return ErrNoZone
	case OutsideZone:
		return ErrOutsideZone
	case Alias:
		return ErrAlias
	case Unauthentic:
		return ErrUnauthentic
	case Temporary:
		return ErrTemporary
	case Malformed:
		return ErrMalformed
	case Unsupported:
		return ErrUnsupported
	case Ignored:
		return ErrIgnored
	}
	return nil
}

// String names the kind in one or two words.
func (k Kind) String() string {
	if err := k.Err(); err != nil {
		return err.Error()
	}
	return "unknown"
}

// An Error says what went wrong, with which provider, and what to do about it. It
// never holds a secret.
type Error struct {
	Op       string     // what was being done, such as "read" or "change"
	Provider string     // the provider and, where it matters, the server asked: "rfc2136 192.0.2.53:53"
	Owner    tlsa.Owner // the owner name; empty if the error is about more than one
	Kind     Kind
	Err      error  // the cause
	Hint     string // what to do, without full stop; empty if there is nothing to say
	// Pause is how long the host asked to be left alone; 0: it did not.
	Pause time.Duration
}

// Error is one line: what and where, who, why, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Owner != "" {
		b.WriteString(" " + string(e.Owner))
	}
	if e.Provider != "" {
		b.WriteString(": " + e.Provider)
	}
	b.WriteString(": ")
	switch {
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(e.Kind.String())
	}
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

// Unwrap gives the cause and the sentinel of the kind to errors.Is.
func (e *Error) Unwrap() []error {
	var errs []error
	if kind := e.Kind.Err(); kind != nil {
		errs = append(errs, kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// KindOf returns the kind of the first Error in err's tree, 0 if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

// PauseOf is the Pause of the first Error in err's tree, 0 if there is none.
func PauseOf(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.Pause
	}
	return 0
}

// An AliasError is the cause of an error of kind [Alias].
type AliasError struct {
	Type   string     // CNAME or DNAME
	At     tlsa.Owner // the name that owns it: the owner name itself for a CNAME
	Target tlsa.Owner // where it leads
}

// Error names both ends.
func (e *AliasError) Error() string {
	return "a " + e.Type + " at " + string(e.At) + " leads to " + string(e.Target) + ", and no other record can stand beside it"
}

// Hint says where the records belong (RFC 7671, section 7).
func (e *AliasError) Hint() string {
	return "the records belong at " + string(e.Target) + ", written by whoever holds that zone; or remove the " + e.Type
}
