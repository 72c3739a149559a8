package main

import (
	"github.com/tlsaroll/tlsaroll/rollover"
)

// codesPage is the page on what every code means.
const codesPage = "tlsaroll-codes"

// codesLines are made of the catalogue that explain prints, what breaks mail first.
func codesLines() ([]string, error) {
	lines := []string{
		".SH NAME", escaped(codesPage + " - what the codes of warnings and reasons mean, and what to do"),
		".SH DESCRIPTION",
		escaped("The commands status, plan and check, the log, the metrics and the notices name all that is wrong, and all that is waited for, by a code. This page has every one of them, by how bad it is. For one of them there is tlsaroll explain CODE, and for programs tlsaroll explain --json."),
		".PP", escaped("A word in the text after a code, such as a name or an address, says where. Begin with what status or check says first: one fault often shows as several codes, and the others go with it."),
		".PP", escaped("A code is told as a reason to wait, as a warning, or as both. One that needs a person stays until somebody does something; all others may go away by themselves."),
	}
	for _, group := range []struct {
		title    string
		about    string
		severity rollover.Severity
	}{
		{"ERRORS", "Each of these breaks mail, or keeps the next certificate from coming.", rollover.Danger},
		{"WARNINGS", "Each of these may come to that.", rollover.Warn},
		{"INFORMATION", "These are good to know. Most are reasons to wait, and end by themselves.", rollover.Info},
	} {
		lines = append(lines, ".SH "+group.title, escaped(group.about))
		for _, e := range rollover.Codes() {
			if e.Severity == group.severity {
				lines = append(lines, codeLines(e)...)
			}
		}
	}
	return append(lines, ".SH SEE ALSO", escaped(guideReferences(""))), nil
}

// codeLines are an entry of the catalogue.
func codeLines(e rollover.Explanation) []string {
	head := bold(string(e.Code))
	if e.Person {
		head += escaped(" (needs a person)")
	}
	lines := []string{".TP", head, unparted(e.Means)}
	for _, part := range []struct{ title, text string }{{"Shows", e.Shows}, {"Clears", e.Clears}, {"What to do", e.Do}} {
		lines = append(lines, ".br", `\fI`+part.title+`:\fR `+unparted(part.text))
	}
	return lines
}
