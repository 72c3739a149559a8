package main

import "strings"

// hanging is where the text of a status begins, and its further lines too.
const hanging = 34

// folded breaks lines between words so that none is longer than so many columns: on a
// terminal the end of a reason, which says until when, would be cut off.
func folded(lines []string, columns int) []string {
	indent := hanging
	if columns < 2*hanging {
		indent = columns / 4
	}
	var out []string
	for _, line := range lines {
		rest := []rune(line)
		for len(rest) > columns {
			at := foldAt(rest, columns)
			out = append(out, strings.TrimRight(string(rest[:at]), " "))
			rest = append([]rune(strings.Repeat(" ", indent)), []rune(strings.TrimLeft(string(rest[at:]), " "))...)
		}
		out = append(out, string(rest))
	}
	return out
}

// foldAt is the last place between two words; a word that is longer is broken.
func foldAt(line []rune, columns int) int {
	margin := len(line) - len([]rune(strings.TrimLeft(string(line), " ")))
	for at := columns; at > margin; at-- {
		if line[at] == ' ' {
			return at
		}
	}
	return columns
}
