package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Located is one finding about a configuration file: an error or a warning.
type Located struct {
	File   string
	Line   int    // from 1; 0 where the finding is about the file as a whole
	Column int    // from 1, in characters
	Path   string // the keys that lead there, as in lineages.mx1.endpoints[0]; may be empty
	What   string // lower case, no full stop
	Hint   string // how to mend it
}

// Error gives FILE:LINE:COLUMN: PATH: WHAT (hint: HINT).
func (l Located) Error() string {
	var b strings.Builder
	b.WriteString(l.File)
	if l.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", l.Line, l.Column)
	}
	if l.Path != "" {
		b.WriteString(": " + l.Path)
	}
	b.WriteString(": " + l.What)
	if l.Hint != "" {
		b.WriteString(" (hint: " + l.Hint + ")")
	}
	return b.String()
}

// Errors is everything that is wrong with a file, in its order; never empty
// where it is returned as an error.
type Errors []Located

// Error gives one line an error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, l := range e {
		lines[i] = l.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find each [Located].
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, l := range e {
		errs[i] = l
	}
	return errs
}

// inOrder sorts by place and drops what was found twice.
func inOrder(found []Located) []Located {
	slices.SortStableFunc(found, func(a, b Located) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(found)
}
