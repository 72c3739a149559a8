package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// configPage is the page on the configuration.
const configPage = "tlsaroll.yaml"

// configLines are made of the annotated example, and of the tables of the providers.
func configLines() ([]string, error) {
	parts := config.Annotated()
	lines := []string{".SH NAME", escaped(configPage + " - the configuration of tlsaroll"), ".SH SYNOPSIS", escaped(defaultConfig), ".SH DESCRIPTION"}
	lines = append(lines, roffParagraphs(parts[0].About)...)
	lines = append(lines, ".SH KEYS")
	for _, p := range parts[1:] {
		if p.Entries[0].Depth == 0 {
			lines = append(lines, ".SS "+escaped(headline(p)))
		}
		p.Entries[0].Above = p.About
		entries := entryLines(p.Entries)
		if entries[0] == ".PP" && strings.HasPrefix(lines[len(lines)-1], ".SS ") {
			entries = entries[1:] // a heading has space below it
		}
		lines = append(lines, entries...)
	}
	return append(append(lines, providerLines()...), ".SH SEE ALSO", escaped("tlsaroll(1), tlsaroll-run(1), tlsaroll-provider(1), "+metricsPage+"(7)")), nil
}

// headline names the keys of a part that stand at the left.
func headline(p config.Part) string {
	var names []string
	for _, e := range p.Entries {
		if name, _, ok := strings.Cut(strings.TrimPrefix(e.Text, "# "), ":"); ok && e.Depth == 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return list(names)
}

// entryLines has the entries that are explained as a glossary, with what is not between them
// as it stands in the file.
func entryLines(entries []config.Entry) (lines []string) {
	depth, plain := 0, false
	end := func() {
		if plain {
			lines = append(lines, ".fi")
		}
		plain = false
	}
	for _, e := range entries {
		if e.Depth != depth || e.Above != "" {
			end()
		}
		for ; depth < e.Depth; depth++ {
			lines = append(lines, ".RS 4")
		}
		for ; depth > e.Depth; depth-- {
			lines = append(lines, ".RE")
		}
		if e.Above != "" {
			lines = append(lines, ".PP", escaped(e.Above))
		}
		switch {
		case e.About != "":
			end()
			lines = append(lines, ".TP 4", bold(e.Text), escaped(e.About))
		case plain:
			lines = append(lines, bold(e.Text))
		default:
			plain = true
			lines = append(lines, ".PP", ".nf", bold(e.Text))
		}
	}
	end()
	for ; depth > 0; depth-- {
		lines = append(lines, ".RE")
	}
	return lines
}

func bold(text string) string { return `\fB` + strings.TrimPrefix(escaped(text), `\&`) + `\fR` }

// providerLines has the keys of each type of provider.
func providerLines() []string {
	lines := []string{".SH TYPES OF PROVIDERS", escaped("Beside type, zone and margin a provider has these keys. The page of a type, which tells of rights and hazards, is that of tlsaroll provider list TYPE.")}
	for _, k := range providerKinds() {
		var said []string
		for _, s := range k.settings {
			said = append(said, settingShown(s))
		}
		lines = append(lines, ".TP", bold(k.Type)+escaped(" ("+k.Name+")"), escaped(strings.Join(said, "; ")+"."))
	}
	return lines
}

// settingShown is a key of a provider, whether it has to be there, and its default or an example.
func settingShown(s config.Setting) string {
	name := s.Name
	if s.Kind == config.Credential || s.Kind == config.Base64 {
		name = fmt.Sprintf("%s-file, %[1]s-env or %[1]s-credential", s.Name)
	}
	var notes []string
	switch {
	case s.Required && s.Unless != "":
		notes = append(notes, "has to be there unless "+s.Unless+" is")
	case s.Required:
		notes = append(notes, "has to be there")
	}
	switch {
	case len(s.Choices) > 0:
		notes = append(notes, "one of "+list(s.Choices))
	case s.Kind == config.Argv:
		notes = append(notes, "a command")
	}
	switch {
	case s.Default != "":
		notes = append(notes, "default: "+s.Default)
	case s.Example != "":
		notes = append(notes, "such as "+s.Example)
	}
	if len(notes) == 0 {
		return name
	}
	return name + " (" + strings.Join(notes, ", ") + ")"
}
