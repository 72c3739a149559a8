package rfc2136

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A Secret is a TSIG key's secret in base64. It shows itself to nobody: printed,
// formatted, logged or marshalled it says that it is hidden. The zero Secret is
// none.
type Secret struct {
	text *string // behind a pointer, because fmt does not ask fields that it must not touch
}

// hidden is all that a Secret says of itself.
const hidden = "[hidden]"

// NewSecret takes the base64 text of a key file. White space around it is dropped;
// whether it is base64 is checked by [New].
func NewSecret(text string) Secret {
	text = strings.TrimSpace(text)
	return Secret{&text}
}

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every other verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and XML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the secret from JSON.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// empty reports whether there is no secret.
func (s Secret) empty() bool { return s.text == nil || *s.text == "" }

// octets decodes the secret. The error says nothing of what it decoded.
func (s Secret) octets() ([]byte, error) {
	text := strings.Join(strings.Fields(*s.text), "")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		var at base64.CorruptInputError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("not base64: wrong at character %d of %d", int64(at)+1, len(text))
		}
		return nil, errors.New("not base64")
	}
	return raw, nil
}
