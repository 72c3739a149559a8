package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) explainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:                   "explain [--json] [CODE]",
		DisableFlagsInUseLine: true,
		Short:                 "say what the code of a warning or a reason means, and what to do",
		Long: `
			Status, log, metrics and notify commands name each warning and each reason to wait by a code. This prints what
			the code means, when it shows, when it clears and what to do. Without CODE it lists all codes.

			An error breaks mail or keeps the next certificate from coming; a warning may come to that; an info is good
			to know. One that needs a person stays until somebody does something.`,
		Example: `
			$ tlsaroll explain server-unknown`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n2\twrong usage, or there is no such code"},
		Args:        atMostOne("CODE"),
		ValidArgs:   codes(),
		RunE:        func(_ *cobra.Command, args []string) error { return p.explain(args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return c
}

// codes are all codes, sorted.
func codes() []string {
	var all []string
	for _, e := range rollover.Codes() {
		all = append(all, string(e.Code))
	}
	return all
}

func (p *program) explain(args []string, asJSON bool) error {
	if len(args) == 0 {
		return p.explainAll(asJSON)
	}
	e, ok := rollover.Code(args[0]).Explain()
	if !ok {
		return usage(fmt.Errorf("unknown code %q (hint: %s)", args[0], suggestCode(args[0])))
	}
	if asJSON {
		return p.ui.printJSON(e)
	}
	p.ui.result(page(e))
	return nil
}

// suggestCode is the nearest code, or where they are listed: there are too many
// for one line.
func suggestCode(word string) string {
	if suggest.Nearest(word, codes()) == "" {
		return "tlsaroll explain lists them"
	}
	return suggest.Hint(word, codes(), "")
}

func (p *program) explainAll(asJSON bool) error {
	if asJSON {
		return p.ui.printJSON(rollover.Codes())
	}
	for _, e := range rollover.Codes() {
		first, _, _ := strings.Cut(strings.TrimSuffix(e.Means, "."), ". ")
		p.ui.result(fmt.Sprintf("%-22s  %-7s  %s", e.Code, e.Severity, first))
	}
	return nil
}

// printJSON prints what programs read.
func (u *ui) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	u.face.Result(still(string(b))) // with times as they are
	return nil
}

// still escapes what would move a cursor or turn text around, as JSON goes to terminals too and
// may have words of servers in it. The encoder does so below the space alone.
func still(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, "\\u%04x", unit)
		}
	}
	return b.String()
}

// page is the catalogue's entry for a code, laid out as a manual page.
func page(e rollover.Explanation) string {
	person := ""
	if e.Person {
		person = ", needs a person"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s%s)\n", e.Code, e.Severity, person)
	for _, part := range []struct{ title, text string }{{"MEANS", e.Means}, {"SHOWS", e.Shows}, {"CLEARS", e.Clears}, {"WHAT TO DO", e.Do}} {
		fmt.Fprintf(&b, "\n%s\n%s", part.title, indent(7, part.text))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
