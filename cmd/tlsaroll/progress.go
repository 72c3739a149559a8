package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// progress shows how far a rollover has come: on a terminal one line that
// changes, elsewhere a line whenever something else is waited for.
type progress struct {
	ui      *ui
	lineage string
	said    string    // the last line that stays
	phase   string    // of the last pass
	since   time.Time // when that began
}

func newProgress(u *ui, lineage string) *progress { return &progress{ui: u, lineage: lineage} }

// pass shows what one pass came to.
func (g *progress) pass(now time.Time, r agent.Report) {
	s := status(r, g.lineage, now)
	phase := phrase(s)
	if phase != g.phase {
		g.phase, g.since = phase, now
	}
	if g.ui.sticky() {
		g.ui.stick(g.lineage + ": " + phase + detail(s) + bar(g.since, now, until(s)))
		return
	}
	what := g.lineage + ": " + phase + detail(s)
	if why := blind(r, s); why != "" {
		what += "; " + why
	} else if len(s.Waiting) > 0 {
		what += "; " + s.Waiting[0].Text
	}
	if what != g.said {
		g.said = what
		g.ui.say(what, "")
	}
}

// end leaves the changing line.
func (g *progress) end() { g.ui.unstick() }

// phrase is a lineage's phase in one word.
func phrase(s rollover.LineageStatus) string {
	switch {
	case s.Swapping != nil:
		return "swapping"
	case s.Phase == "":
		return "looking"
	}
	return string(s.Phase)
}

// detail counts the servers that have what the newest chain needs, while there
// is one on its way.
func detail(s rollover.LineageStatus) string {
	if s.Successor == nil {
		return ""
	}
	have, all := 0, 0
	for _, e := range s.Endpoints {
		for _, server := range e.Servers {
			all++
			if server.Converged == "yes" {
				have++
			}
		}
	}
	return fmt.Sprintf(", on %d of %d servers", have, all)
}

// until is when the present wait is over, zero while that cannot be told.
func until(s rollover.LineageStatus) time.Time {
	if s.Successor != nil && s.Successor.ReadyAt != nil {
		return *s.Successor.ReadyAt
	}
	var t time.Time
	for _, reason := range s.Waiting {
		if t.IsZero() || reason.Until.After(t) {
			t = reason.Until
		}
	}
	return t
}

// bar draws how much of a wait is over, and says how long it still takes.
func bar(since, now, end time.Time) string {
	const width = 24
	if !end.After(now) || !end.After(since) {
		return ""
	}
	done := int(width * now.Sub(since) / end.Sub(since))
	return fmt.Sprintf("  [%s%s] %s left", strings.Repeat("#", done), strings.Repeat("-", width-done), end.Sub(now).Round(time.Second))
}
