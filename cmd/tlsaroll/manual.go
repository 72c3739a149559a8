package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// Annotations of a command that cobra has no field for: lines of a term, a tab and
// what it means.
const (
	exitStatus = "exit status"
	files      = "files"
)

// allExits is every exit code there is.
const allExits = "0\tdone\n1\tan error\n2\twrong usage or configuration\n3\tsomething is in progress\n4\tit needs a person"

// pageWidth is that of a manual page on the usual terminal.
const pageWidth = 78

// section is one of a manual page. Text is laid out by its kind.
type section struct {
	title string
	kind  layout
	text  string
}

// layout is how a section's text is meant.
type layout int

const (
	prose    layout = iota // one paragraph
	parted                 // paragraphs and examples, see [paragraphs]
	glossary               // lines of a term, a tab and what it means
)

// sections are those of a command's page that have a text.
func sections(c *cobra.Command) []section {
	all := []section{
		{"NAME", prose, c.CommandPath() + " - " + c.Short},
		{"SYNOPSIS", prose, c.UseLine()},
		{"DESCRIPTION", parted, c.Long},
		{"COMMANDS", glossary, commandTerms(c)},
		{"OPTIONS", glossary, optionTerms(c.LocalFlags())},
		{"OPTIONS OF ALL COMMANDS", glossary, optionTerms(c.InheritedFlags())},
		{"EXIT STATUS", glossary, c.Annotations[exitStatus]},
		{"FILES", glossary, c.Annotations[files]},
		{"EXAMPLES", parted, c.Example},
	}
	return slices.DeleteFunc(all, func(s section) bool { return strings.TrimSpace(s.text) == "" })
}

// manual is a command's help, laid out as a manual page.
func manual(c *cobra.Command) string {
	var b strings.Builder
	for i, s := range sections(c) {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.title + "\n")
		switch s.kind {
		case prose:
			b.WriteString(indent(7, s.text))
		case parted:
			b.WriteString(paragraphs(s.text))
		case glossary:
			b.WriteString(terms(s.text))
		}
	}
	return b.String()
}

func commandTerms(c *cobra.Command) string {
	var lines []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			lines = append(lines, strings.TrimPrefix(sub.UseLine(), c.Root().Name()+" ")+"\t"+sub.Short)
		}
	}
	return strings.Join(lines, "\n")
}

func optionTerms(flags *pflag.FlagSet) string {
	var lines []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, what := pflag.UnquoteUsage(f)
		term := "--" + f.Name
		if f.Shorthand != "" {
			term = "-" + f.Shorthand + ", " + term
		}
		switch {
		case value != "" && f.NoOptDefVal != "": // it wants the equals sign
			term += "[=" + value + "]"
		case value != "":
			term += " " + value
		}
		if d := defaultOf(f); d != "" {
			what += fmt.Sprintf(" (default: %s)", d)
		}
		lines = append(lines, term+"\t"+what)
	})
	return strings.Join(lines, "\n")
}

// defaultOf is what an option has if it is not given, "" where that says nothing.
func defaultOf(f *pflag.Flag) string {
	if f.Value.Type() == "duration" {
		if d, err := time.ParseDuration(f.DefValue); err == nil && d > 0 {
			return config.ShortDuration(d)
		}
		return ""
	}
	switch f.DefValue {
	case "false", "[]":
		return ""
	}
	return f.DefValue
}

// terms lays out lines of a term, a tab and what it means.
func terms(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		term, what, ok := strings.Cut(line, "\t")
		if !ok {
			continue
		}
		if len(term) <= 6 {
			b.WriteString("       " + term + strings.Repeat(" ", 8-len(term)) + strings.TrimLeft(indent(15, what), " "))
			continue
		}
		b.WriteString(indent(7, term) + indent(15, what))
	}
	return b.String()
}

// paragraphs lays out text whose paragraphs are parted by empty lines. Lines that
// begin with $ or, after one of those, with a blank more than the others stand as they are.
func paragraphs(text string) string {
	var b strings.Builder
	var words []string
	flush := func() {
		if len(words) > 0 {
			b.WriteString(indent(7, strings.Join(words, " ")))
			words = nil
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line = strings.TrimLeft(line, "\t")
		switch {
		case line == "":
			flush()
			b.WriteByte('\n')
		case strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "  "):
			flush()
			b.WriteString("           " + line + "\n")
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	flush()
	if b.Len() == 1 {
		return ""
	}
	return b.String()
}

// combination is one like 3 1 1 or 2 x x, which no line's end may part.
var combination = regexp.MustCompile(`\b([0-3]) ([01x]) ([0-2x])\b`)

// indent fills text into lines that begin with so many blanks.
func indent(blanks int, text string) string {
	const glue = "\x00"
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(combination.ReplaceAllString(text, "$1"+glue+"$2"+glue+"$3")) {
		word = strings.ReplaceAll(word, glue, " ")
		switch width := len([]rune(word)); {
		case column == 0:
			b.WriteString(strings.Repeat(" ", blanks))
			column = blanks
		case column+1+width > pageWidth:
			b.WriteString("\n" + strings.Repeat(" ", blanks))
			column = blanks
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len([]rune(word))
	}
	if column > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}
