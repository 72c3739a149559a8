package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man [COMMAND]",
		Short: "print a manual page for man(1)",
		Long: `
			Prints the page of tlsaroll, or of one of its commands, in the language of man(7). It says what --help says.`,
		Example: `
			$ tlsaroll man >/usr/local/share/man/man8/tlsaroll.8
			$ tlsaroll man rollover | man -l -`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n2\twrong usage, or there is no such command"},
		Args:        atMostOne("COMMAND"),
		RunE: func(c *cobra.Command, args []string) error {
			about := c.Root()
			if name := first(args); name != "" {
				found, _, err := about.Find(args)
				if err != nil || found == about || found.Hidden {
					return usage(unknownCommand(about, name))
				}
				about = found
			}
			p.ui.result(roff(about))
			return nil
		},
	}
}

// roff is a command's page in the language of man(7).
func roff(c *cobra.Command) string {
	lines := []string{fmt.Sprintf(".TH %s 8", strings.ToUpper(strings.ReplaceAll(c.CommandPath(), " ", "\\-")))}
	for _, s := range append(sections(c), section{"SEE ALSO", prose, seeAlso(c)}) {
		lines = append(lines, ".SH "+s.title)
		if s.title == "NAME" { // one word, for whatis(1)
			s.text = strings.ReplaceAll(c.CommandPath(), " ", "-") + " - " + c.Short
		}
		switch s.kind {
		case prose:
			lines = append(lines, escaped(strings.TrimSpace(s.text)))
		case parted:
			lines = append(lines, roffParagraphs(s.text)...)
		case glossary:
			for line := range strings.SplitSeq(s.text, "\n") {
				if term, what, ok := strings.Cut(line, "\t"); ok {
					lines = append(lines, ".TP", escaped(term), escaped(what))
				}
			}
		}
	}
	return strings.Join(lines, "\n")
}

// roffParagraphs has the lines that stand as they are so printed, and fills the others.
func roffParagraphs(text string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		switch line = strings.TrimLeft(line, "\t"); {
		case line == "":
			lines = append(lines, ".PP")
		case strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "  "):
			lines = append(lines, ".RS", ".nf", escaped(line), ".fi", ".RE")
		default:
			lines = append(lines, escaped(line))
		}
	}
	return lines
}

// escaped keeps text from being taken for requests, hyphens from becoming dashes and
// backslashes from vanishing.
func escaped(text string) string {
	text = strings.NewReplacer("\\", "\\e", "-", "\\-").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = "\\&" + text
	}
	return text
}

// seeAlso names the other pages.
func seeAlso(c *cobra.Command) string {
	if c.HasParent() {
		return c.Root().Name() + "(8)"
	}
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, c.Name()+"-"+sub.Name()+"(8)")
		}
	}
	return list(names)
}
