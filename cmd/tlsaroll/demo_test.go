package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDemo is the demo, whole, once.
func TestDemo(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	w := quiet()
	w.stdout, w.stderr = &stdout, &stderr
	p := newProgram(w)
	begun := time.Now()
	r, err := p.showDemo(t.Context()) // not by demo, which heeds signals that other tests cause
	took := time.Since(begun)
	if code := p.ui.exit(err); code != exitDone {
		t.Errorf("exit %d", code)
	}
	const fewest = 20 // an idle machine makes a hundred of them in the shorter part, a busy one fewer
	if r.SwapFirst.Failed == 0 || r.Tlsaroll.Failed != 0 || min(r.SwapFirst.Handshakes, r.Tlsaroll.Handshakes) < fewest {
		t.Errorf("as scripts do it %s, with tlsaroll %s", r.SwapFirst, r.Tlsaroll)
	}
	if len(r.Wanted.Associations) != 2 || len(r.Left) != 2 || !r.Left[0].Same(r.Wanted) || !r.Left[1].Same(r.Wanted) {
		t.Errorf("the servers give %v, want %v", r.Left, r.Wanted)
	}
	lines := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
	last := lines[max(0, len(lines)-6):]
	want := []string{
		"                         handshakes   failed",
		fmt.Sprintf("the certificate first    %10d %8d", r.SwapFirst.Handshakes, r.SwapFirst.Failed),
		fmt.Sprintf("tlsaroll                 %10d %8d", r.Tlsaroll.Handshakes, r.Tlsaroll.Failed),
		"",
		"In the zone stand the new record and another host's, which nobody touched.",
		"What comes next: tlsaroll --help, and the configuration in README.md.",
	}
	if !slices.Equal(last, want) || stderr.Len() > 0 || strings.Contains(stdout.String(), "\x1b") {
		t.Errorf("it ends with\n%s\nwant\n%s", strings.Join(last, "\n"), strings.Join(want, "\n"))
	}
	for _, l := range lines {
		if len(l) > 79 {
			t.Errorf("wider than a terminal: %s", l)
		}
	}
	if t.Failed() {
		t.Logf("after %s:\n%s%s", took, &stdout, &stderr)
	}
}
