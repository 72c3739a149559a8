package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestAsk: whatever is not yes is no, the end of the input too.
func TestAsk(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, " YES \n": true, "yes": true, "n\n": false, "\n": false, "": false, "yesterday\n": false} {
		var errs bytes.Buffer
		u := newUI(world{stdin: strings.NewReader(answer), stdout: &bytes.Buffer{}, stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }})
		if got := u.ask("go on?"); got != want || errs.String() != "tlsaroll: go on? [y/N]\n" {
			t.Errorf("%q: %t, want %t; it says %q", answer, got, want, errs.String())
		}
		if u.asks() {
			t.Error("a reader is no terminal")
		}
	}
}
