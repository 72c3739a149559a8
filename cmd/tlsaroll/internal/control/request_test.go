package control

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// FuzzRequest reads the body of a request: what is taken goes out and comes in as the
// same, and what is refused is not quoted, as it may hold a key.
func FuzzRequest(f *testing.F) {
	key := []byte("-----BEGIN PRIVATE KEY-----\nc29tZWJvZHkncyBwcml2YXRlIGtleQ==\n-----END PRIVATE KEY-----\n")
	for _, r := range []Request{
		{Version: "v1", Command: "status", Terminal: Terminal{Width: 80, Sticky: true}},
		{Version: "v1", Command: "rollover", Lineage: "mx1", Args: []byte(`{"wait":"served"}`), Pair: &Pair{Chain: []byte("chain"), Key: config.NewSecret(key), ChainFile: "a", Findings: []string{"b"}}},
	} {
		body, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
		f.Add(body[:len(body)-2])
		f.Add(append([]byte(`{"x":1,`), body[1:]...))
	}
	f.Add(key)
	f.Add([]byte(`{"protocol":1,"command":"a","pair":null,"args":null}`))
	f.Add([]byte(`{"protocol":99999999999999999999}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decode(body, "v0")
		if err != nil {
			// The version is the one thing of the body that is repeated.
			text := err.Error()
			if strings.Contains(text, "PRIVATE") || bytes.Contains(body, []byte("PRIVATE")) && strings.Contains(text, "BEGIN") {
				t.Errorf("a refusal quotes a key: %q", text)
			}
			for _, word := range bytes.FieldsFunc(body, func(c rune) bool { return strings.ContainsRune("\"{}[]:, \n", c) }) {
				if len(word) >= 20 && strings.Contains(text, string(word)) && !bytes.Contains(body, []byte(`"version":"`)) {
					t.Errorf("a refusal quotes the body: %q", text)
				}
			}
			return
		}
		if r.Command == "" {
			t.Error("taken without a command")
		}
		again, err := r.encode()
		if err != nil {
			return // grown beyond what may be sent, or options that were only read as they stand
		}
		back, err := decode(again, "v0")
		if err != nil {
			t.Fatalf("%.200q: what went out is refused: %v", again, err)
		}
		third, err := back.encode()
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%.200q came back as %.200q, %v", again, third, err)
		}
		if r.Pair != nil && !bytes.Contains(again, []byte(base64.StdEncoding.EncodeToString(r.Pair.Key.Reveal()))) {
			t.Error("the key was lost on the way")
		}
	})
}
