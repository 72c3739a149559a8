package config

import (
	"regexp"
	"strings"
)

// Part is what stands between two empty lines of the example.
type Part struct {
	About   string // the comment above it; empty lines part its paragraphs
	Entries []Entry
}

// Entry is a line of the example: a key, or an item of a list.
type Entry struct {
	Above string // the comment before it, unless it is the first of its part
	Text  string // without the blanks before it; begins with # where it is commented out
	About string // the comment behind it
	Depth int    // how deep it stands, 0 at the left
}

// Annotated is the example taken apart, for a manual page. Its first part has no entries:
// it is about all of them.
func Annotated() []Part {
	_, text, _ := strings.Cut(example, "\n#\n") // the file's name is above
	var parts []Part
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		parts = append(parts, part(paragraph))
	}
	return parts
}

func part(text string) (p Part) {
	var said []string
	for line := range strings.SplitSeq(text, "\n") {
		prose, e := annotated(line)
		if e.Text == "" {
			said = append(said, prose)
			continue
		}
		if len(p.Entries) == 0 {
			p.About = joined(said)
		} else {
			e.Above = joined(said)
		}
		p.Entries, said = append(p.Entries, e), nil
	}
	if len(said) > 0 {
		p.About = joined(said)
	}
	return p
}

func joined(lines []string) string { return strings.ReplaceAll(strings.Join(lines, " "), "  ", "\n\n") }

var (
	// commented is what looks like YAML in a comment: prose has a capital, or no colon after its first word.
	commented = regexp.MustCompile(`^(- |# |[a-z][a-z0-9.-]*:( |$))`)
	remark    = regexp.MustCompile(`^(.*?\S)\s+# (.*)$`)
)

// annotated reads a line: it is prose, or an entry.
func annotated(line string) (prose string, e Entry) {
	text, depth := unindented(line)
	if inner, out := strings.CutPrefix(text, "#"); out {
		inner, deeper := unindented(strings.TrimPrefix(inner, " "))
		if !commented.MatchString(inner) {
			return inner, e
		}
		text, depth, e.Text = inner, depth+deeper, "# "
	}
	if m := remark.FindStringSubmatch(text); m != nil {
		text, e.About = m[1], m[2]
	}
	e.Text += text
	e.Depth = depth
	return "", e
}

// unindented is a line without the blanks before it, and how deep it stood.
func unindented(line string) (text string, depth int) {
	text = strings.TrimLeft(line, " ")
	return text, (len(line) - len(text)) / 2
}
