package paper

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// Nagios is a check as Nagios, Icinga and their like want it of a plugin: one line with a
// status, figures behind a pipe, then whatever else there is to read.
type Nagios struct {
	Reports []audit.Report
	Here    *[]audit.Finding // on this host, beside its services; nil: was not asked for
	Trouble []string         // why not all could be looked at or done
	Said    []string         // what else was said
	At      time.Time
}

// Exit codes of plugins; they are not the program's own.
const (
	NagiosOK       = 0
	NagiosWarning  = 1
	NagiosCritical = 2
	NagiosUnknown  = 3
)

// Nagios keeps 8 KB of what a plugin prints, and shows less.
const (
	nagiosHead  = 400  // runes of text in the first line
	nagiosRest  = 6000 // octets of the lines after it
	nagiosNames = 3    // domains or codes that are named in the first line
)

// Code is the exit code: broken wins over unknown, and that over what can wait.
func (n Nagios) Code() int {
	t, errors, warnings := Count(n.Reports), 0, 0
	blind := len(n.Trouble) > 0 || n.Here == nil && len(n.Reports) == 0
	for _, f := range n.here() {
		switch {
		case f.Severity == rollover.Danger:
			errors++
		case f.Code == rollover.CodeNotPermitted:
			blind = true
		case f.Severity == rollover.Warn:
			warnings++
		}
	}
	switch {
	case t.Broken > 0 || errors > 0:
		return NagiosCritical
	case t.Unknown > 0 || blind:
		return NagiosUnknown
	case t.Warnings > 0 || warnings > 0:
		return NagiosWarning
	}
	return NagiosOK
}

// Lines are what is printed, the first of them with the figures.
func (n Nagios) Lines() []string {
	status := []string{NagiosOK: "OK", NagiosWarning: "WARNING", NagiosCritical: "CRITICAL", NagiosUnknown: "UNKNOWN"}[n.Code()]
	head := []rune(flat(n.head()))
	if len(head) > nagiosHead {
		head = append(head[:nagiosHead-1], '…')
	}
	first := "TLSAROLL " + status + " - " + string(head)
	if len(n.Reports) > 0 || n.Here != nil {
		first += " | " + n.figures()
	}
	lines, octets := []string{first}, 0
	for _, line := range n.rest() {
		if octets += len(line) + 1; octets > nagiosRest {
			return append(lines, "and more, which tlsaroll check says without --nagios")
		}
		lines = append(lines, line)
	}
	return lines
}

func (n Nagios) here() []audit.Finding {
	if n.Here == nil {
		return nil
	}
	return *n.Here
}

// head is the text of the first line.
func (n Nagios) head() string {
	var parts []string
	t := Count(n.Reports)
	switch errors, warnings := severities(n.here()); {
	case n.Here == nil:
	case errors+warnings == 0:
		parts = append(parts, "this host: nothing to mend")
	default:
		parts = append(parts, "this host: "+several(errors, "error")+", "+several(warnings, "warning"))
	}
	switch {
	case t.All() == 1:
		parts = append(parts, n.Reports[0].Domain+": "+inShort(n.Reports[0]))
	case n.Here != nil && t.All() > 0:
		parts = append(parts, fmt.Sprintf("%d services: %d clean, %d warnings, %d broken, %d unknown", t.All(), t.Clean, t.Warnings, t.Broken, t.Unknown))
	case t.All() > 0:
		parts = append(parts, t.String())
	}
	if t.All() > 1 && t.Clean < t.All() {
		var names []string
		for _, r := range worstFirst(n.Reports) {
			if r.State != audit.Clean {
				names = append(names, r.Domain)
			}
		}
		parts = append(parts, few(names))
	}
	if codes := n.codes(); len(codes) > 0 {
		parts = append(parts, few(codes))
	}
	if len(n.Trouble) > 0 {
		parts = append(parts, n.Trouble[0])
	}
	if len(parts) == 0 {
		return "nothing was looked at"
	}
	return strings.Join(parts, "; ")
}

func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// few are the first names of many.
func few(names []string) string {
	if len(names) <= nagiosNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:nagiosNames], ", "), len(names)-nagiosNames)
}

// codes are those of the worst severity that was found, each once.
func (n Nagios) codes() (codes []string) {
	findings := slices.Clone(n.here())
	for _, r := range worstFirst(n.Reports) {
		findings = append(findings, r.Findings...)
	}
	for _, s := range []rollover.Severity{rollover.Danger, rollover.Warn} {
		for _, f := range findings {
			if f.Severity == s && !slices.Contains(codes, string(f.Code)) {
				codes = append(codes, string(f.Code))
			}
		}
		if len(codes) > 0 {
			return codes
		}
	}
	return nil
}

func severities(findings []audit.Finding) (errors, warnings int) {
	for _, f := range findings {
		switch f.Severity {
		case rollover.Danger:
			errors++
		case rollover.Warn:
			warnings++
		case rollover.Info:
		}
	}
	return errors, warnings
}
