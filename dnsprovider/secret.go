package dnsprovider

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A Secret is a token, password or key of a DNS host's API. It shows itself to nobody:
// printed, formatted, logged or marshalled it says that it is hidden. The zero Secret
// is none.
type Secret struct {
	text *string // behind a pointer, because fmt does not ask fields that it must not touch
}

// hidden is all that a Secret says of itself.
const hidden = "[hidden]"

// NewSecret takes the text of a secret. White space around it is dropped, as files end in
// a line feed.
func NewSecret(text string) Secret {
	text = strings.TrimSpace(text)
	return Secret{&text}
}

// Reveal returns the text, for the one who sends it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every other verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and XML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
