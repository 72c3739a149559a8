package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestDaemonLog: each line ends with when the next look is due, where that is known.
func TestDaemonLog(t *testing.T) {
	var out bytes.Buffer
	p := newProgram(world{stderr: &out, now: time.Now, lookupEnv: func(name string) (string, bool) { return "", name == "JOURNAL_STREAM" }})
	due := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	next := due
	log := p.daemonLog(func() time.Time { return next })
	log.Info("one", "a", 1)
	log.With("lineage", "mx1").Info("two", nextLook, due.Add(time.Hour), "b", "x\ny")
	log.Info("three", nextLook, time.Time{}, "a", 1)
	next = time.Time{}
	log.Info("four", "a", 1)
	want := `
level=INFO msg=one a=1 next_look=2027-01-31T12:00:00.000Z
level=INFO msg=two lineage=mx1 b="x\ny" next_look=2027-01-31T13:00:00.000Z
level=INFO msg=three a=1
level=INFO msg=four a=1
`
	if got := out.String(); got != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%swant%s", got, want)
	}
}
