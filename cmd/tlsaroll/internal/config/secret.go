package config

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// hidden stands where a secret would be printed.
const hidden = "[hidden]"

// A Secret is a key, password or token. No way of printing or encoding one shows
// it; only [Secret.Reveal] gives it out. The zero Secret is none.
type Secret struct {
	// A closure, because fmt looks through unexported fields of the structs around
	// this one without asking String, and finds no more than an address here.
	reveal func() []byte
}

// NewSecret keeps a copy of value.
func NewSecret(value []byte) Secret {
	kept := append([]byte(nil), value...)
	return Secret{func() []byte { return kept }}
}

// Reveal returns a copy of the secret itself, nil for none.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return append([]byte(nil), s.reveal()...)
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal compares in constant time.
func (s Secret) Equal(t Secret) bool {
	return s.IsZero() == t.IsZero() && subtle.ConstantTimeCompare(s.Reveal(), t.Reveal()) == 1
}

// String does not give the secret.
func (s Secret) String() string { return hidden }

// Format does not give the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText does not give the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue does not give the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
