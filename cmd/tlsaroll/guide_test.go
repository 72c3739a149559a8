package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/guide"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestGuide tries what the texts of the manual tell people to type and to write: every command
// has these options, and every configuration loads.
func TestGuide(t *testing.T) {
	for _, p := range guide.Pages() {
		t.Run(p.Name, func(t *testing.T) {
			d := document{p.Name, p.Text}
			commands := 0
			for _, b := range p.Blocks() {
				if b.Kind != guide.Verbatim {
					continue
				}
				if file, ok := strings.CutPrefix(b.Lines[0], "# "+defaultConfig); ok {
					loads(t, p.Name+":\n"+strings.Join(b.Lines, "\n"), configured(t, file, b.Lines[1:]))
					continue
				}
				for _, line := range typed(b.Lines) {
					d.tryLine(t, words(line))
					commands++
				}
			}
			if want := p.Name != "tlsaroll-threats"; (commands > 0) != want {
				t.Errorf("it has %d commands", commands)
			}
		})
	}
}

// typed are the commands among lines as a terminal has them. A backslash at the end has
// the next line go on with it.
func typed(lines []string) (commands []string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(strings.Join(lines, "\n"), "\\\n", ""), "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, command)
		}
	}
	return commands
}

// configured is a configuration with the lines that a text shows of one: of a lineage, of
// what stands beside lineages, or all of it.
func configured(t *testing.T, part string, lines []string) string {
	t.Helper()
	const head = "state: /var/lib/tlsaroll\nresolver: 127.0.0.1:53\n"
	const provider = "  ns1: {type: rfc2136, server: \"ns1.example.org:53\", zone: example.org, key: tlsaroll.example.org., secret-file: /etc/tlsaroll/tsig.secret}\n"
	shown := strings.Join(lines, "\n") + "\n"
	switch part {
	case "":
		return shown
	case ", beside lineages":
		text := head
		if !strings.Contains(shown, "providers:") {
			text += "providers:\n" + provider
		}
		return text + shown + "lineages:\n  mx1:\n    endpoints: [smtp://mx1.example.org]\n"
	case ", of a lineage":
		text := head + "providers:\n" + provider + "lineages:\n  mx1:\n"
		if !strings.Contains(shown, "endpoints:") {
			text += "    endpoints: [smtp://mx1.example.org]\n"
		}
		return text + indented(shown)
	}
	t.Fatalf("a configuration of an unknown kind: %q", part)
	return ""
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

// TestGuideForm wants texts that can be read on a terminal: what stands as it is has room
// there, and steps are counted.
func TestGuideForm(t *testing.T) {
	const room = 80 - 7 - 4 - 1 // of a terminal's columns, less the margin and how far it stands right of other text
	for _, p := range guide.Pages() {
		step := 0
		for _, b := range p.Blocks() {
			if b.Kind == guide.Title || b.Kind == guide.Subtitle {
				step = 0
			}
			if b.Kind == guide.Step {
				if step++; b.Label != fmt.Sprintf("%d.", step) {
					t.Errorf("%s: step %s, want %d: %s", p.Name, b.Label, step, b.Lines[0])
				}
			}
			for _, line := range b.Lines {
				if b.Kind == guide.Verbatim && len([]rune(line)) > room {
					t.Errorf("%s: no room for %d columns: %s", p.Name, len([]rune(line)), line)
				}
			}
		}
		for _, line := range guideLines(p) {
			if strings.TrimSpace(line) == "" && line != "" || strings.HasSuffix(line, " ") {
				t.Errorf("%s: blanks at the end: %q", p.Name, line)
			}
		}
	}
}

// TestRecipesInREADME wants the names of all recipes in the README, in their order.
func TestRecipesInREADME(t *testing.T) {
	text := strings.ToLower(readDocument(t, "README.md").text)
	pages := guide.Pages()
	i := slices.IndexFunc(pages, func(p guide.Page) bool { return p.Name == "tlsaroll-recipes" })
	recipes := 0
	for _, b := range pages[i].Blocks() {
		if b.Kind != guide.Title || b.Lines[0] == "DESCRIPTION" {
			continue
		}
		recipes++
		_, rest, ok := strings.Cut(text, "\n| "+strings.ToLower(b.Lines[0])+" |")
		if !ok {
			t.Fatalf("README.md lacks, or has before another: %s", b.Lines[0])
		}
		text = rest
	}
	if recipes < 7 {
		t.Errorf("there are %d recipes", recipes)
	}
}

// TestCodesPage wants each code once, under how bad it is, with all that explain says of it.
func TestCodesPage(t *testing.T) {
	lines, err := codesLines()
	if err != nil {
		t.Fatal(err)
	}
	titles := map[rollover.Severity]string{rollover.Danger: ".SH ERRORS", rollover.Warn: ".SH WARNINGS", rollover.Info: ".SH INFORMATION"}
	for _, e := range rollover.Codes() {
		at := slices.Index(lines, bold(string(e.Code)))
		if e.Person {
			at = slices.Index(lines, bold(string(e.Code))+" (needs a person)")
		}
		if at < 0 {
			t.Errorf("%s is not there", e.Code)
			continue
		}
		var title string
		for _, line := range lines[:at] {
			if strings.HasPrefix(line, ".SH ") {
				title = line
			}
		}
		if title != titles[e.Severity] {
			t.Errorf("%s stands under %s, and is of severity %s", e.Code, title, e.Severity)
		}
		entry := strings.Join(lines[at:at+8], "\n")
		for _, text := range []string{e.Means, e.Shows, e.Clears, e.Do} {
			if !strings.Contains(entry, unparted(text)) {
				t.Errorf("%s: it is not said: %s", e.Code, text)
			}
		}
	}
}
