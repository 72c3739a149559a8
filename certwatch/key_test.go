package certwatch

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestKeyIsHidden prints a pair in every way that programs print things.
func TestKeyIsHidden(t *testing.T) {
	h := issue(t)
	p := pairFor(t, h.leaf, h.intermediate)
	body := strings.Split(string(p.Key.PEM()), "\n")[1]

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
		fmt.Fprintf(&out, verb+"\n", p)
		fmt.Fprintf(&out, verb+"\n", &p)
		fmt.Fprintf(&out, verb+"\n", p.Key)
		fmt.Fprintf(&out, verb+"\n", []any{p.Key, &p.Key})
	}
	fmt.Fprintln(&out, p, p.Key, p.Key.String())
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("pair", "pair", p, "key", p.Key, "pointer", &p)
	}
	raw := []byte(body)
	for _, secret := range []string{body, hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), fmt.Sprint(raw[:16])[1:40]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the key got out as %.20s…", secret)
		}
	}
	if !strings.Contains(out.String(), hidden) {
		t.Errorf("%q stands nowhere in the output: it was not printed at all", hidden)
	}
}

func x25519(t testing.TB) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
