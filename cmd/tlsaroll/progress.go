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
	ui       *ui
	lineage  string
	terminal bool
	said     string // the last line, without what only counts down
	width    int    // of what stands on the terminal's line
}

func newProgress(u *ui, lineage string) *progress {
	return &progress{ui: u, lineage: lineage, terminal: isTerminal(u.stderr)}
}

// pass shows what one pass came to.
func (g *progress) pass(now time.Time, r agent.Report) {
	for _, err := range r.Failed {
		g.line("error: " + err.Error())
	}
	s := status(r, g.lineage, now)
	what := g.lineage + ": " + phrase(s)
	for _, w := range s.Waiting {
		what += "; " + w.Text
		break
	}
	if g.terminal {
		g.rewrite(what + countdown(s, now))
		return
	}
	if what != g.said {
		g.said = what
		g.ui.say(what, "")
	}
}

// phrase is a lineage's phase in words.
func phrase(s rollover.LineageStatus) string {
	switch {
	case s.Swapping != nil:
		return "swapping"
	case s.Phase == "":
		return "looking"
	}
	return string(s.Phase)
}

// countdown is the time until the successor is ready.
func countdown(s rollover.LineageStatus, now time.Time) string {
	if s.Successor == nil || s.Successor.ReadyAt == nil || !s.Successor.ReadyAt.After(now) {
		return ""
	}
	return fmt.Sprintf(" [%s]", s.Successor.ReadyAt.Sub(now).Round(time.Second))
}

// rewrite puts a line in the place of the last one.
func (g *progress) rewrite(text string) {
	text = "tlsaroll: " + text
	if n := 79; len(text) > n {
		text = text[:n-1] + "…"
	}
	fmt.Fprint(g.ui.stderr, "\r"+text+strings.Repeat(" ", max(g.width-len(text), 0)))
	g.width = len(text)
}

// line says something that stays.
func (g *progress) line(text string) {
	g.end()
	g.ui.say(text, "")
}

// end leaves the changing line.
func (g *progress) end() {
	if g.terminal && g.width > 0 {
		fmt.Fprintln(g.ui.stderr)
		g.width = 0
	}
}
