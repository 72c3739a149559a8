package acme

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A Secret is the HMAC key of an external account, in base64url as CAs show it. It
// shows itself to nobody: printed, formatted, logged or marshalled it says that it is
// hidden. The zero Secret is none.
type Secret struct {
	// A function, because that is what reflection cannot look into.
	reveal func() string
}

// hidden is all that a Secret says of itself.
const hidden = "[hidden]"

// NewSecret takes the text that the CA shows. White space is dropped; whether it is
// base64url is checked by [New].
func NewSecret(text string) Secret {
	text = strings.Join(strings.Fields(text), "")
	return Secret{func() string { return text }}
}

// String hides the secret.
func (Secret) String() string { return hidden }

// Format hides the secret under every verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the secret in JSON and the like.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret in logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// base64url is the secret without padding. The error says nothing of what it decoded.
func (s Secret) base64url() (string, error) {
	if s.reveal == nil || s.reveal() == "" {
		return "", errors.New("no HMAC key")
	}
	text := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s.reveal(), "="))
	if _, err := base64.RawURLEncoding.DecodeString(text); err != nil {
		return "", errors.New("the HMAC key is not base64url (hint: the key alone, as the CA shows it)")
	}
	return text, nil
}
