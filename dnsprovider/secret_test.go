package dnsprovider_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

func TestSecretHidesItself(t *testing.T) {
	const text = "correct-horse"
	secret := dnsprovider.NewSecret(" " + text + "\n")
	if secret.Reveal() != text || secret.Empty() {
		t.Errorf("revealed %q, empty %v", secret.Reveal(), secret.Empty())
	}
	config := struct {
		Token  dnsprovider.Secret
		hidden dnsprovider.Secret
	}{secret, secret}
	marshalled, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("made", "token", secret, "config", config)
	said := []string{string(marshalled), logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		said = append(said, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, config), fmt.Sprintf(verb, &config))
	}
	for _, s := range said {
		if strings.Contains(s, text) || strings.Contains(s, fmt.Sprintf("%x", text)) {
			t.Errorf("the secret is in %q", s)
		}
	}
	if none := (dnsprovider.Secret{}); !none.Empty() || none.Reveal() != "" || none.String() != "[hidden]" {
		t.Errorf("the zero Secret is %v, %q", none, none.Reveal())
	}
}
