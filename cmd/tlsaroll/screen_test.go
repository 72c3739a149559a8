package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestScreenShowsText: what others put into a text, as who took the daemon over into its
// journal, does nothing to the terminal on which it is shown.
func TestScreenShowsText(t *testing.T) {
	var out, errs bytes.Buffer
	s := &screen{stdout: &sink{Writer: &out}, stderr: &errs}
	const text = "\x1b[31mred\x1b[0m \x1b]52;c;eA==\x07\u009b6n"
	s.Result(text)
	s.Say(text)
	s.Stick(text)
	s.Unstick()
	const want = "\x1b[31mred\x1b[0m  ]52;c;eA==  6n\n"
	if out.String() != want || errs.String() != strings.Repeat(want, 2) {
		t.Errorf("%q and %q, want %q", &out, &errs, want)
	}
}
