package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// manual is a command's help, laid out as a manual page.
func manual(c *cobra.Command) string {
	var b strings.Builder
	section := func(title, text string) {
		if text != "" {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(title + "\n" + text)
		}
	}
	section("NAME", indent(7, c.CommandPath()+" - "+c.Short))
	section("SYNOPSIS", indent(7, c.UseLine()))
	section("DESCRIPTION", paragraphs(c.Long))
	section("COMMANDS", terms(commandTerms(c)))
	section("OPTIONS", terms(optionTerms(c.LocalFlags())))
	section("OPTIONS OF ALL COMMANDS", terms(optionTerms(c.InheritedFlags())))
	section("EXIT STATUS", terms(c.Annotations[exitStatus]))
	section("FILES", terms(c.Annotations[files]))
	section("EXAMPLES", paragraphs(c.Example))
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
		if value != "" {
			term += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			what += fmt.Sprintf(" (default: %s)", f.DefValue)
		}
		lines = append(lines, term+"\t"+what)
	})
	return strings.Join(lines, "\n")
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
