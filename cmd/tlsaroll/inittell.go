package main

import (
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/draft"
)

// sayPlain is where standard output has the configuration.
func (p *program) sayPlain(line string) {
	p.ui.say(line, "")
}

// tellSteps prints what is to be done by hand.
func (p *program) tellSteps(out func(string), d draft.Draft) {
	if len(d.Steps) > 0 {
		out("")
		out("before it can run; nothing of this was done:")
	}
	for i, s := range d.Steps {
		out("")
		out(fmt.Sprintf("%d. %s", i+1, s.Title))
		for _, line := range s.Lines {
			out(strings.TrimRight("     "+line, " "))
		}
	}
}

// tellNext says how it goes on.
func (p *program) tellNext(w draft.World, d draft.Draft) {
	program := "tlsaroll "
	if w.File != defaultConfig {
		program += "-c " + draft.Quoted(w.File) + " "
	}
	next := [][2]string{
		{program + "check", "says whether all is in order"},
		{program + "adopt --dry-run " + d.Lineages[0], "says what is taken over; the daemon does that by itself"},
		{program + "run", "is the daemon"},
		{program + "status", "says where everything stands, and http://127.0.0.1:9253/ shows it"},
	}
	if w.Unit != "" && w.File == defaultConfig { // which is the one that the unit reads
		next[2] = [2]string{"systemctl enable --now tlsaroll", "starts the daemon, now and with the host"}
	}
	width := 0
	for _, n := range next {
		width = max(width, len(n[0]))
	}
	p.ui.result("")
	p.ui.result("then:")
	for _, n := range next {
		p.ui.result(fmt.Sprintf("     %-*s  %s", width, n[0], n[1]))
	}
}
