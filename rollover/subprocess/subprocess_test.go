package subprocess_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

func TestFind(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":                "an empty command",
		"./sh":            `"./sh" is a relative path (hint: write it whole)`,
		"/no/such":        "no such file or directory",
		plain:             "not a program",
		"/":               "not a program",
		"no-such-program": "not found in " + subprocess.Path + " (hint: install it, or write its whole path)",
	} {
		if got, err := subprocess.Find(name); err == nil || err.Error() != want {
			t.Errorf("%q: got %q, %v, want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"sh", "/bin/sh"} {
		if got, err := subprocess.Find(name); err != nil || !strings.HasSuffix(got, "bin/sh") {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
}

// TestStandardOutputApart: what a command says for programs is not mixed with what it
// says for people.
func TestStandardOutputApart(t *testing.T) {
	var stdout bytes.Buffer
	c := subprocess.Command{Program: "/bin/sh", Argv: []string{"sh", "-c", "cat; echo aside >&2"}, Path: subprocess.Path, Stdin: []byte("said"), Stdout: &stdout}
	said, err := c.Run(t.Context())
	if err != nil || string(said) != "aside\n" || stdout.String() != "said" {
		t.Errorf("got %q and %q, %v", said, &stdout, err)
	}
	c.Stdout = nil
	if said, err := c.Run(t.Context()); err != nil || string(said) != "saidaside\n" {
		t.Errorf("got %q, %v", said, err)
	}
}
