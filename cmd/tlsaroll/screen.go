package main

import (
	"fmt"
	"io"
	"sync"

	"golang.org/x/term"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
)

// screen shows lines on the streams of this process.
type screen struct {
	stdout *sink
	stderr io.Writer

	mu    sync.Mutex
	stuck string // the line on the terminal that changes, "" if none
}

var _ control.Face = (*screen)(nil)

// sink remembers that a write went wrong: a result that is not out is no result.
type sink struct {
	io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
}

// Result prints a line to standard output, above the one that sticks: both may be on one
// terminal.
func (s *screen) Result(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stuck := s.stuck
	s.wipe()
	fmt.Fprintln(s.stdout, control.Shown(line))
	s.draw(stuck)
}

// Say prints a line to standard error, above the one that sticks.
func (s *screen) Say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stuck := s.stuck
	s.wipe()
	fmt.Fprintln(s.stderr, control.Shown(line))
	s.draw(stuck)
}

// Stick shows a line that the next one replaces.
func (s *screen) Stick(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	s.draw(control.Shown(line))
}

// Unstick leaves the line that sticks where it stands.
func (s *screen) Unstick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck != "" {
		fmt.Fprintln(s.stderr)
		s.stuck = ""
	}
}

func (s *screen) wipe() {
	if s.stuck != "" {
		fmt.Fprint(s.stderr, "\r\x1b[K")
		s.stuck = ""
	}
}

func (s *screen) draw(text string) {
	if text == "" {
		return
	}
	if width := s.width(); len(text) >= width {
		text = text[:width-1]
	}
	fmt.Fprint(s.stderr, text)
	s.stuck = text
}

func (s *screen) width() int {
	columns, _ := size(s.stderr)
	return columns
}

// size is that of a terminal, 80 columns and 24 lines where it cannot be told.
func size(w io.Writer) (columns, lines int) {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if columns, lines, err := term.GetSize(int(f.Fd())); err == nil && columns > 20 {
			return columns, lines
		}
	}
	return 80, 24
}
