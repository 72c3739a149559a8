package main

import (
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/guide"
)

// guidePages are those whose text stands in package guide.
func guidePages() (pages []manPage) {
	for _, p := range guide.Pages() {
		pages = append(pages, manPage{p.Name, 7, func() ([]string, error) { return guideLines(p), nil }})
	}
	return pages
}

// guideLines are such a page in the language of man(7).
func guideLines(p guide.Page) []string {
	lines := []string{".SH NAME", escaped(p.Name + " - " + p.About)}
	nested := false // what stands as it is belongs to the step or item before
	for _, b := range p.Blocks() {
		switch b.Kind {
		case guide.Title, guide.Subtitle:
			lines = append(lines, map[guide.Kind]string{guide.Title: ".SH ", guide.Subtitle: ".SS "}[b.Kind]+escaped(b.Lines[0]))
			nested = false
			continue
		case guide.Paragraph:
			if last := lines[len(lines)-1]; last[0] != '.' || last == ".RE" || last == ".fi" { // a heading has space below it
				lines = append(lines, ".PP")
			}
			nested = false
		case guide.Step:
			lines, nested = append(lines, ".IP "+b.Label+" 4"), true
		case guide.Item:
			lines, nested = append(lines, `.IP \(bu 2`), true
		case guide.Term:
			lines, nested = append(lines, ".TP", bold(b.Label)), true
		case guide.Verbatim:
			lines = append(lines, verbatim(b.Lines, nested)...)
			continue
		}
		for _, line := range b.Lines {
			lines = append(lines, escaped(line))
		}
	}
	return append(lines, ".SH SEE ALSO", escaped(guideReferences(p.Name)))
}

// verbatim is what stands as it is, four blanks right of what it belongs to.
func verbatim(text []string, nested bool) []string {
	lines := []string{".RS 4", ".nf"}
	if nested {
		lines[0] = ".RS" // from the text of the step, not from its number
	}
	for _, line := range text {
		lines = append(lines, escaped(line))
	}
	return append(lines, ".fi", ".RE")
}

// guideReferences names the command and the other pages of section 7 with texts.
func guideReferences(but string) string {
	names := []string{"tlsaroll(1)", "tlsaroll-explain(1)", configPage + "(5)", codesPage + "(7)"}
	for _, p := range guide.Pages() {
		if p.Name != but {
			names = append(names, p.Name+"(7)")
		}
	}
	return list(names)
}
