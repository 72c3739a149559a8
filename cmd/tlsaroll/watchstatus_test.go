package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestWatchedZone wants the times of a status that is watched where who watches is.
func TestWatchedZone(t *testing.T) {
	w := quiet()
	now := time.Date(2026, 11, 28, 23, 0, 0, 0, time.FixedZone("", 3600))
	w.now = func() time.Time { return now }
	p := newProgram(w)
	look := now.Add(time.Minute)
	s := rollover.Status{
		Warnings: []rollover.Warning{{Code: rollover.CodePassFailed, Severity: rollover.Danger, Text: "it fails since " + rollover.Stamp(now.Add(-time.Hour))}},
		Lineages: []rollover.LineageStatus{{Name: "mx1", NextLook: &look}},
	}
	text := strings.Join(p.zoned(watched(s, p.now())), "\n")
	for _, want := range []string{"since 2026-11-28 22:00:00 +01:00, 1h00m ago", "(2026-11-28 23:01:00 +01:00)"} {
		if !strings.Contains(text, want) {
			t.Errorf("without %q:\n%s", want, text)
		}
	}
}

// TestPictureTop wants the top of what is higher than the terminal, and a word of the rest.
func TestPictureTop(t *testing.T) {
	var lines []string
	for i := range 9 {
		lines = append(lines, fmt.Sprint(i))
	}
	u, _ := onPaper(false)
	for rows, want := range map[int][]string{
		1:  {"0", "… and 8 more lines, for which this terminal has no room"},
		5:  {"0", "1", "2", "… and 6 more lines, for which this terminal has no room"},
		9:  {"0", "1", "2", "3", "4", "5", "6", "… and 2 more lines, for which this terminal has no room"},
		10: lines,
		24: lines,
	} {
		if diff := cmp.Diff(want, sized(u, 80, rows).top(lines)); diff != "" {
			t.Errorf("%d rows, want -, got +:\n%s", rows, diff)
		}
	}
}
