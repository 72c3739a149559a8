package main

import (
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/paper"
)

// plugin is what check --nagios gathers: who started it reads standard output alone, or takes
// all that is printed for one, and makes its own of every exit code.
type plugin struct {
	asked bool
	seen  paper.Nagios
	said  []string
}

// begin has the plugin hear what the check says, which is printed in the end.
func (g *plugin) begin(p *program) {
	g.asked = true
	p.ui = &ui{stdin: p.ui.stdin, face: g}
}

// asksForPlugin reports whether the arguments do, as far as they can be told apart from each
// other: where they are wrong, 2 would be CRITICAL.
func asksForPlugin(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "check") && slices.Contains(args, "--nagios")
}

// end prints what came of it, and returns the exit code.
func (g *plugin) end(to *ui, err error, at time.Time) int {
	n := g.seen
	n.Trouble, n.Said, n.At = findings(err), g.said, at
	for _, line := range n.Lines() {
		to.result(line)
	}
	if to.own.stdout.err != nil {
		return paper.NagiosUnknown
	}
	return n.Code()
}

// A plugin is the face of its check: what would go to standard error is kept.

// Result takes no line: what a check prints is printed another way.
func (*plugin) Result(string) {}

// Say keeps a line.
func (g *plugin) Say(line string) { g.said = append(g.said, strings.TrimPrefix(line, "tlsaroll: ")) }

// Stick shows nothing.
func (*plugin) Stick(string) {}

// Unstick shows nothing.
func (*plugin) Unstick() {}
