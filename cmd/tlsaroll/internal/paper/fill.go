package paper

import (
	"cmp"
	"regexp"
	"strings"
)

// labels is the width of the column that names the parts of a page.
const labels = 14

// page is a page being written.
type page struct {
	Text
	b    strings.Builder
	part string // the label that the next row gets, "" once it stands
}

// lead is the word of a row that says how good it is.
type lead struct {
	text string
	tone Tone
	hang int // by how much further lines are set in; 0: 2
}

// begin begins a part of the page; nothing is written before its first row.
func (p *page) begin(part string) { p.part = "\n" + part }

// label is what a row of the present part begins with.
func (p *page) label() string {
	part, ok := strings.CutPrefix(p.part, "\n")
	p.part = ""
	if ok {
		p.b.WriteByte('\n')
	}
	return part + strings.Repeat(" ", max(labels-len(part), 1))
}

func (p *page) line(text string) { p.b.WriteString(harmless(text) + "\n") }

// row writes a line, and goes on below the lead where it is too long. Colour comes after
// the lines are broken, as it takes no room.
func (p *page) row(label, before string, l lead, after string) {
	width := p.Width
	if width == 0 {
		width = 100
	}
	label, before, l.text = harmless(label), harmless(before), harmless(l.text)
	head := label + before
	hang := len([]rune(label)) + blanks(before) + cmp.Or(l.hang, 2)
	lines := fold(head+l.text+harmless(after), width, hang)
	if p.Paint != nil && l.tone != Plain && strings.HasPrefix(lines[0], head+l.text) {
		lines[0] = head + p.Paint(l.tone, l.text) + lines[0][len(head+l.text):]
	}
	for _, line := range lines {
		p.b.WriteString(strings.TrimRight(strings.ReplaceAll(line, "\u00a0", " "), " ") + "\n")
	}
}

// combination is one like 3 1 1, which no line's end may part.
var combination = regexp.MustCompile(`\b([0-3]) ([01]) ([0-2])\b`)

// blanks is how many a text begins with.
func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

// fold breaks a line between words; a word that is longer than a line stays whole, so
// that names can be copied.
func fold(text string, width, hang int) (lines []string) {
	rest := []rune(combination.ReplaceAllString(text, "$1\u00a0$2\u00a0$3"))
	for len(rest) > width {
		at := 0
		for i := max(hang, blanks(string(rest))); i < len(rest); i++ {
			if rest[i] == ' ' && (i <= width || at == 0) {
				at = i
			}
			if i > width && at > 0 {
				break
			}
		}
		if at == 0 {
			break
		}
		lines = append(lines, string(rest[:at]))
		rest = append([]rune(strings.Repeat(" ", hang)), []rune(strings.TrimLeft(string(rest[at:]), " "))...)
	}
	return append(lines, string(rest))
}
