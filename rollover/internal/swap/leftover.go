package swap

import (
	"os"
	"path/filepath"
	"strings"
)

// A crash leaves temporary files. They are known by their names: renameio calls
// a pending file ".NAME" and a number from 63 random bits, and the directory that a
// symlink is made in ".NAME" and a number from 32. What is removed is only what
// looks like that and holds nothing else.

// shortestRandom is how many digits a pending file's number has at least, but
// for one in ten million. A file with a shorter one might be somebody else's.
const shortestRandom = 12

// removePending removes the pending files of path. What cannot be removed is
// tried again by the next switch.
func removePending(path string) {
	prefix := "." + filepath.Base(path)
	for _, e := range siblings(path) {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || !isNumber(number) {
			continue
		}
		at := filepath.Join(filepath.Dir(path), e.Name())
		switch {
		case e.Type().IsRegular() && len(number) >= shortestRandom:
			_ = os.Remove(at)
		case e.IsDir():
			removeIfOnly(at, "tmp.symlink")
		}
	}
	_ = os.Remove(filepath.Join(filepath.Dir(path), prefix+previous))
}

// removeIfOnly removes a directory if nothing but the named entries is in it.
func removeIfOnly(dir string, names ...string) {
	if holdsOnly(dir, names...) != "" {
		return
	}
	for _, name := range names {
		_ = os.Remove(filepath.Join(dir, name))
	}
	_ = os.Remove(dir) // fails if it is not empty
}

// holdsOnly returns the first entry of dir that has none of the names, "" if
// there is none.
func holdsOnly(dir string, names ...string) (other string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "?"
	}
next:
	for _, e := range entries {
		for _, name := range names {
			if e.Name() == name && !e.IsDir() {
				continue next
			}
		}
		return e.Name()
	}
	return ""
}

// siblings are the entries of the directory that path is in.
func siblings(path string) []os.DirEntry {
	entries, _ := os.ReadDir(filepath.Dir(path)) // nothing to clear up where nothing can be seen
	return entries
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
