package swap

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNeighboursShareNoLeftovers: where one file's name is another's and a digit, the temporary
// files of the one look like those of the other. What is about to be renamed is left alone,
// be it another lineage's.
func TestNeighboursShareNoLeftovers(t *testing.T) {
	w := newWorld(t)
	w.Install = []Target{{Path: w.etc + "/mx1", Content: []Part{Key, Chain}}, {Path: w.etc + "/mx", Content: []Part{Key, Chain}}}
	for n := range 40 { // the number in a temporary name has 18 digits in one of ten
		_, err := w.Switch(t.Context(), []string{w.entryA, w.entryB}[n%2])
		ok(t, err)
	}
	others, ours := w.etc+"/.mx2123456789012345678", w.etc+"/.mx3123456789012345678"
	for _, path := range []string{others, ours, w.etc + "/mx2"} {
		write(t, path, nil, 0o600)
	}
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	for path, stays := range map[string]bool{others: true, ours: false} {
		if _, err := os.Lstat(path); (err == nil) != stays {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}
