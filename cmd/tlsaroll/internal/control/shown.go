package control

import (
	"strings"
	"unicode/utf8"
)

// Shown is a text as a terminal may have it: lines, tabs and colours (SGR of ECMA-48), and
// nothing that moves a cursor, names a window or has the terminal type an answer. The daemon
// may be a user without privileges, and who reads what it says, or left in its journal, is root.
func Shown(text string) string {
	if !strings.ContainsFunc(text, unshown) {
		return text
	}
	var b strings.Builder
	for text != "" {
		if n := colouring(text); n > 0 {
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		if unshown(r) {
			r = ' '
		}
		b.WriteRune(r)
		text = text[n:]
	}
	return b.String()
}

func unshown(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }

// colouring is how long the colour's sequence is that a text begins with, 0 if there is none.
func colouring(text string) int {
	parameters, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		return 0
	}
	rest := strings.TrimLeft(parameters, "0123456789;")
	if !strings.HasPrefix(rest, "m") {
		return 0
	}
	return len(text) - len(rest) + 1
}
