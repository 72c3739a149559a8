package main

import (
	"strings"

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
	nested := false // what follows may belong to the step or item before
	for _, b := range p.Blocks() {
		switch b.Kind {
		case guide.Title, guide.Subtitle:
			lines = append(lines, map[guide.Kind]string{guide.Title: ".SH ", guide.Subtitle: ".SS "}[b.Kind]+escaped(b.Lines[0]))
			nested = false
			continue
		case guide.Paragraph:
			last := lines[len(lines)-1]
			lines = append(lines, paragraph(last, nested)...)
			nested = nested && last == ".RE"
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
			lines = append(lines, unparted(line))
		}
	}
	return append(lines, ".SH SEE ALSO", escaped(guideReferences(p.Name)))
}

// paragraph is the request that parts a paragraph from the line before. After what stands as
// it is in a step the step goes on; a heading has space below it.
func paragraph(last string, nested bool) []string {
	switch {
	case nested && last == ".RE":
		return []string{`.IP "" 4`}
	case strings.HasPrefix(last, ".S"):
		return nil
	}
	return []string{".PP"}
}

// unparted is text to be filled, in which no line's end parts a combination.
func unparted(text string) string {
	return combination.ReplaceAllString(escaped(text), `$1\ $2\ $3`)
}

// verbatim is what stands as it is, four blanks right of what it belongs to.
func verbatim(text []string, nested bool) []string {
	lines := []string{".sp", ".RS 4", ".nf"}
	if nested {
		lines[1] = ".RS" // from the text of the step, not from its number
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
