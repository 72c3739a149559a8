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
func (p *program) tellNext(d draft.Draft) {
	p.ui.result("")
	p.ui.result("then:")
	p.ui.result("     tlsaroll check       says whether all is in order")
	p.ui.result("     tlsaroll once        makes one pass: it takes over what is served, or says why not")
	p.ui.result(fmt.Sprintf("     tlsaroll adopt %-5s takes over a pair that is named with --cert and --key", d.Lineages[0]))
	p.ui.result("     tlsaroll run         is the daemon")
}
