package exec

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// A mask puts the name of a variable in the place of its value.
type mask struct{ value, name string }

// minSecret is the length from which on a value may be a secret: what is shorter stands in
// a text by accident.
const minSecret = 4

// masksOf are those of an environment, the longest values first: one may be part of another.
func masksOf(env []string) []mask {
	var masks []mask
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) < minSecret {
				continue
			}
			for _, form := range []string{line, url.QueryEscape(line), url.PathEscape(line), base64.StdEncoding.EncodeToString([]byte(line))} {
				masks = append(masks, mask{form, "$" + name})
			}
		}
	}
	slices.SortFunc(masks, func(a, b mask) int {
		if d := len(b.value) - len(a.value); d != 0 {
			return d
		}
		return strings.Compare(a.value+a.name, b.value+b.name)
	})
	return slices.Compact(masks)
}

// masked puts names of variables in the place of their values.
func (p *Provider) masked(text []byte) string {
	s := string(text)
	for _, m := range p.masks {
		s = strings.ReplaceAll(s, m.value, m.name)
	}
	return s
}

// quoted makes one short line for people of what a command says in a field of its own,
// without values of the environment and without what would move a terminal's cursor.
func (p *Provider) quoted(text []byte) string {
	line := subprocess.Printable(p.masked(text))
	return strings.TrimRight(strings.TrimPrefix(subprocess.Quoted([]byte(line)), ": "), ". ")
}

// lastLine is likewise the last line that a command printed for people.
func (p *Provider) lastLine(text []byte) string {
	last := ""
	for line := range strings.Lines(p.masked(text)) {
		if line = subprocess.Printable(line); line != "" {
			last = line
		}
	}
	return p.quoted([]byte(last))
}
