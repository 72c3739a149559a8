package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// A picture is some lines on a terminal that the next ones replace.
type picture struct {
	out   io.Writer
	size  func() (columns, lines int)
	drawn int // lines that the next picture replaces
}

func newPicture(s *screen) *picture {
	return &picture{out: s.stdout, size: func() (int, int) { return size(s.stdout.Writer) }}
}

// show replaces what was shown last. It is written at once, so that it does not
// flicker, and is no larger than the terminal, where it could not be replaced: finish
// makes a line of text of one that is cut already.
func (p *picture) show(lines []string, finish func(i int, cut string) string) {
	columns, rows := p.size()
	first := max(0, len(lines)-rows+1)
	var b bytes.Buffer
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", p.drawn) // up, and clear what is below (ECMA-48)
	}
	for i, line := range lines[first:] {
		runes := []rune(line)
		fmt.Fprintln(&b, finish(first+i, string(runes[:min(len(runes), columns-1)])))
	}
	p.drawn = len(lines) - first
	_, _ = p.out.Write(b.Bytes()) // which remembers what went wrong
}

// top has of too many lines those at the top, where what needs somebody first stands, and says
// that there are more.
func (p *picture) top(lines []string) []string {
	_, rows := p.size()
	room := max(1, rows-2) // a line says it, and the cursor has one
	if len(lines) <= room+1 {
		return lines
	}
	return append(slices.Clone(lines[:room]), fmt.Sprintf("… and %d more lines, for which this terminal has no room", len(lines)-room))
}

// columns is how long a line may be.
func (p *picture) columns() int {
	columns, _ := p.size()
	return max(1, columns-1)
}

// leave has the next picture stand below what was shown.
func (p *picture) leave() { p.drawn = 0 }

// asItIs finishes a line that has no colour.
func asItIs(_ int, cut string) string { return cut }
