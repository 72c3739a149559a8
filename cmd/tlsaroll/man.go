package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

func (p *program) manCommand() *cobra.Command {
	var names bool
	c := &cobra.Command{
		Use:                   "man [--list] [PAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "print a manual page for man(1)",
		Long: `
			Prints a page in the language of man(7): without PAGE that of tlsaroll, else that of a command, which says what
			--help says, or the one on the configuration, tlsaroll.yaml, or on the metrics, tlsaroll-metrics. Further ones are
			tlsaroll-recipes on what is not done every day, tlsaroll-codes on what each code means, tlsaroll-safety on why no
			mail is lost, and tlsaroll-threats on who could do what.

			The date on the page is that of SOURCE_DATE_EPOCH, for packagers.`,
		Example: `
			$ tlsaroll man rollover | man -l -
			$ tlsaroll man tlsaroll.yaml | man -l -

			All of them:
			$ for page in $(tlsaroll man --list); do tlsaroll man $page >$page; done`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n2\twrong usage, or there is no such page"},
		Args:        atMostOne("PAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			pages := manPages(c.Root())
			if names {
				for _, page := range pages {
					p.ui.result(page.file())
				}
				return nil
			}
			page, err := findPage(pages, first(args))
			if err != nil {
				return usage(err)
			}
			lines, err := page.lines()
			if err != nil {
				return err
			}
			epoch, _ := p.lookupEnv("SOURCE_DATE_EPOCH")
			p.ui.result(strings.Join(append([]string{page.head(epoch, p.version)}, lines...), "\n"))
			return nil
		},
	}
	c.Flags().BoolVar(&names, "list", false, "print the names of all pages, as files have them")
	return c
}

// manPage is a page of the manual.
type manPage struct {
	name    string
	section int
	lines   func() ([]string, error) // without its head
}

// manPages are all there are.
func manPages(root *cobra.Command) []manPage {
	pages := []manPage{commandPage(root)}
	for _, c := range root.Commands() {
		if !c.Hidden {
			pages = append(pages, commandPage(c))
		}
	}
	pages = append(pages, manPage{configPage, 5, configLines}, manPage{metricsPage, 7, metricsLines}, manPage{codesPage, 7, codesLines})
	return append(pages, guidePages()...)
}

func commandPage(c *cobra.Command) manPage {
	return manPage{strings.ReplaceAll(c.CommandPath(), " ", "-"), 1, func() ([]string, error) { return commandLines(c), nil }}
}

// findPage takes a page's name with and without its section, and a command's.
func findPage(pages []manPage, name string) (manPage, error) {
	if name == "" {
		return pages[0], nil
	}
	var known []string
	for _, page := range pages {
		if name == page.file() || name == page.name || pages[0].name+"-"+name == page.name {
			return page, nil
		}
		known = append(known, strings.TrimPrefix(page.name, pages[0].name+"-"))
	}
	return manPage{}, fmt.Errorf("no page %q (hint: %s)", name, suggest.Hint(name, known, "there are: "))
}

func (m manPage) file() string { return m.name + "." + strconv.Itoa(m.section) }

// reference is how other pages name it.
func (m manPage) reference() string { return m.name + "(" + strconv.Itoa(m.section) + ")" }

// head is the page's first line.
func (m manPage) head(epoch, version string) string {
	var date string
	if seconds, err := strconv.ParseInt(epoch, 10, 64); err == nil {
		date = time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf(".TH %s %d %q %q", escaped(strings.ToUpper(m.name)), m.section, date, "tlsaroll "+version)
}

// commandLines are a command's page in the language of man(7).
func commandLines(c *cobra.Command) (lines []string) {
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
	return lines
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
	var names []string
	for _, page := range manPages(c.Root()) {
		if page.name != strings.ReplaceAll(c.CommandPath(), " ", "-") && (!c.HasParent() || page.name == c.Root().Name() || page.section != 1) {
			names = append(names, page.reference())
		}
	}
	return list(names)
}
