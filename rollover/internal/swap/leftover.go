package swap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// A crash leaves temporary files. They are known by their names: a pending file of
// renameio is ".NAME" and a number from 63 random bits, a new symlink ".NAME.link",
// a second name to be ".NAME.previous".

// A pending file's number has 12 to 19 digits, but for one in ten million. A file
// with a shorter one might be somebody else's.
const (
	shortestRandom = 12
	longestRandom  = 19
)

// removePending removes the temporary files of path. What cannot be removed is
// tried again by the next switch.
func (h Host) removePending(path string) {
	base := filepath.Base(path)
	for _, e := range siblings(path) {
		number, ok := strings.CutPrefix(e.Name(), "."+base)
		if ok && isNumber(number) && e.Type().IsRegular() && len(number) >= shortestRandom && len(number) <= longestRandom && !h.neighbours(path, number) {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	for _, temp := range []string{hidden(path, previous), hidden(path, pendingLink), hidden(path+previous, pendingLink)} {
		_ = os.Remove(temp)
	}
}

// neighbours reports whether a number behind the name of path may begin with the end of
// another's, as mx1 is beside mx: the temporary file is that one's, and about to be renamed.
func (h Host) neighbours(path, number string) bool {
	for n := 1; n <= len(number)-shortestRandom; n++ {
		other := path + number[:n]
		if _, err := os.Lstat(other); err == nil || slices.ContainsFunc(h.Install, func(t Target) bool { return filepath.Clean(t.at()) == other }) {
			return true
		}
	}
	return false
}

// pendingLink is what the name of a symlink that is not yet in place ends in.
const pendingLink = ".link"

// hidden is a temporary name beside path.
func hidden(path, suffix string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+suffix)
}

// turn makes path a symlink to target by one rename, whatever symlink or file is
// there. Unlike with renameio, what a crash leaves has a name that no other path's
// leftovers have.
func turn(path, target string) error {
	temp := hidden(path, pendingLink)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	failpoint.Here("symlink: made, before its rename")
	if err := os.Rename(temp, path); err != nil {
		return first(err, os.Remove(temp))
	}
	failpoint.Here("symlink: renamed")
	return nil
}

// removeIfOnly removes a directory if nothing but the named entries is in it. What a symlink in
// its place leads to is left alone.
func removeIfOnly(dir string, names ...string) {
	in, err := openItself(dir)
	if err != nil {
		return
	}
	defer in.Close()
	if otherIn(in, names...) != "" {
		return
	}
	for _, name := range names {
		_ = in.Remove(name)
	}
	_ = os.Remove(dir) // fails if it is not empty
}

// holdsOnly returns the first entry of dir that has none of the names, "" if
// there is none.
func holdsOnly(dir string, names ...string) (other string) {
	in, err := os.OpenRoot(dir)
	if err != nil {
		return "?"
	}
	defer in.Close()
	return otherIn(in, names...)
}

func otherIn(in *os.Root, names ...string) (other string) {
	entries, err := fs.ReadDir(in.FS(), ".")
	if err != nil {
		return "?"
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) || e.IsDir() {
			return e.Name()
		}
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
