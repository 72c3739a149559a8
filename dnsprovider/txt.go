package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A TXTProvider puts single TXT values into the provider's own copy of the zone and
// takes them out again, as the dns-01 challenge of ACME needs (RFC 8555, section 8.4).
// A [Provider] may be one as well. Both methods can be repeated, leave the other
// values at the name alone, and have the errors of a Provider. It is safe for
// concurrent use.
type TXTProvider interface {
	// AddTXT adds the value to those at name; one that stands there is no error. An
	// RRset that exists keeps its TTL, another gets ttl.
	AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error

	// RemoveTXT takes exactly this value away; one that does not stand there is no error.
	RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error
}

// maxTXT is the room in one character-string (RFC 1035, section 3.3).
const maxTXT = 255

// ValidateTXT says what about name and value no provider could carry out, nil if there
// is nothing. A value is one character-string that needs no escapes anywhere.
func ValidateTXT(name tlsa.Owner, value string) error {
	owner, err := tlsa.ParseOwner(string(name))
	switch {
	case err != nil:
		return err
	case owner != name:
		return fmt.Errorf("owner name %q: not canonical (hint: write %s)", string(name), owner)
	case value == "":
		return errors.New("TXT: no value")
	case len(value) > maxTXT:
		return fmt.Errorf("TXT: a value of %d octets, and %d have room in one string (RFC 1035, section 3.3)", len(value), maxTXT)
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("TXT: a value with blanks, quotes, backslashes or what is not ASCII")
		}
	}
	return nil
}

// ValidateTTL says what is wrong with the TTL of a new RRset, nil if nothing is.
func ValidateTTL(ttl time.Duration) error { return validTTL(ttl) }
