package swap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// generation is what stands between a directory's name and the number of one of
// the siblings that hold its content.
const generation = ".pair-"

// A directoryChange turns a symlink from one sibling directory to another. A
// real directory at its first time is exchanged for the symlink in one step.
type directoryChange struct {
	host  Host
	path  string
	entry *entry
	owner ownership
	mode  fs.FileMode

	sibling string // the new one; "": nothing to change
	target  string // what the symlink says now; "": there is none
	aside   string // where a real directory goes; "": there is none
	state   directoryState
}

// A directoryState is how far a change has come.
type directoryState int

const (
	untouched directoryState = iota
	turned                   // the symlink points at the new sibling
	exchanged                // the real directory is aside
)

func (c *directoryChange) at() string { return c.path }

func (c *directoryChange) changes() bool { return c.sibling != "" }

// prepare fills a new sibling.
func (c *directoryChange) prepare() error {
	if err := c.host.before(opTidy, c.path); err != nil {
		return err
	}
	c.host.removePending(c.path)
	info, err := os.Lstat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		c.aside = c.free()
	case info.Mode()&fs.ModeSymlink != 0:
		if c.target, err = os.Readlink(c.path); err != nil {
			return err
		}
	default:
		return &FileError{c.path, "neither a directory nor a symlink", "to install one file write path: instead of dir:", ErrTarget}
	}
	if err := c.ours(); err != nil {
		return err
	}
	if c.target != "" && c.holds() {
		return nil
	}
	if info, err := os.Lstat(c.path + previous); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return &FileError{c.path + previous, "not a symlink, but stands where the old directory is to be kept", "move it away", ErrTarget}
	}
	return c.fill()
}

// free is a sibling's name that nothing has.
func (c *directoryChange) free() string {
	for n := 0; ; n++ {
		path := c.path + generation + strconv.Itoa(n)
		if _, err := os.Lstat(path); err != nil {
			return path
		}
	}
}

// ours refuses a directory with other files in it: they would be gone from there.
func (c *directoryChange) ours() error {
	if info, err := os.Stat(c.path); err != nil || !info.IsDir() {
		return nil // nothing there, or a symlink to nowhere
	}
	if other := holdsOnly(c.path, entryFiles[:]...); other != "" {
		return &FileError{c.path, fmt.Sprintf("holds %q besides the files that are installed there, which would vanish with the first swap", other),
			"give this lineage a directory of its own", ErrTarget}
	}
	return nil
}

// holds reports whether the directory is already as it should be.
func (c *directoryChange) holds() bool {
	var st unix.Stat_t
	if unix.Stat(c.path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR || !c.owner.owns(&st) || fs.FileMode(st.Mode&0o7777) != searchable(c.mode) {
		return false
	}
	for name, content := range c.entry.files {
		if !isFile(filepath.Join(c.path, name), content, c.owner, c.mode) {
			return false
		}
	}
	return true
}

// fill fills a new sibling. Whoever owns the directory that it is in, as a mail server's user may,
// could put a link in its place: nothing is written, and nothing given away, by way of its name.
func (c *directoryChange) fill() error {
	if err := c.host.before(opWrite, c.path); err != nil {
		return err
	}
	sibling, err := os.MkdirTemp(filepath.Dir(c.path), filepath.Base(c.path)+generation+"*")
	if err != nil {
		return err
	}
	c.sibling = sibling
	failpoint.Here("install directory: sibling made")
	if err := c.host.before(opWrite, sibling); err != nil {
		return err
	}
	in, err := openItself(sibling)
	if err != nil {
		return err
	}
	defer in.Close()
	for name, content := range c.entry.files {
		f, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if err := first(fill(f, content, c.owner, c.mode), f.Close()); err != nil {
			return err
		}
	}
	d, err := in.Open(".")
	if err != nil {
		return err
	}
	if err := first(d.Chown(c.owner.uid, c.owner.gid), d.Chmod(searchable(c.mode)), d.Sync(), d.Close()); err != nil {
		return err
	}
	failpoint.Here("install directory: sibling filled")
	return nil
}

// openItself opens a directory, and not what a symlink of that name leads to.
func openItself(dir string) (*os.Root, error) {
	in, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	opened, err := in.Stat(".")
	if err == nil {
		var named fs.FileInfo
		if named, err = os.Lstat(dir); err == nil && !os.SameFile(opened, named) {
			err = &FileError{dir, "not the directory that was made a moment ago", "let nobody but root write in " + filepath.Dir(dir), ErrTarget}
		}
	}
	if err != nil {
		return nil, first(err, in.Close())
	}
	return in, nil
}

// commit keeps the old directory under its second name and turns the symlink.
func (c *directoryChange) commit() error {
	if err := c.host.before(opKeep, c.path); err != nil {
		return err
	}
	failpoint.Here("install directory: before the old one is kept")
	link := filepath.Base(c.sibling)
	switch {
	case c.target != "":
		if err := turn(c.path+previous, c.target); err != nil {
			return err
		}
	case c.aside != "":
		if err := turn(c.path+previous, filepath.Base(c.aside)); err != nil {
			return err
		}
		if err := os.Symlink(link, c.aside); err != nil {
			return err
		}
	}
	if err := c.host.before(opSwitch, c.path); err != nil {
		return err
	}
	if c.aside != "" {
		failpoint.Here("install directory: link made, before the exchange")
		if err := exchange(c.aside, c.path); err != nil {
			return &FileError{c.path, "a directory, and it cannot be exchanged for a symlink here: " + cause(err),
				"stop the server and move it away: mv " + c.path + " " + c.path + ".old", err}
		}
		c.state = exchanged
		failpoint.Here("install directory: exchanged")
	} else {
		failpoint.Here("install directory: before it is turned")
		if err := turn(c.path, link); err != nil {
			return err
		}
		c.state = turned
		failpoint.Here("install directory: turned")
	}
	return c.host.syncDir(c.path)
}

// restore turns the symlink back.
func (c *directoryChange) restore() error {
	if c.state == untouched {
		return nil
	}
	err := c.host.before(opBack, c.path)
	switch {
	case err != nil:
	case c.state == exchanged:
		err = exchange(c.aside, c.path)
	case c.target == "":
		err = os.Remove(c.path)
	default:
		err = turn(c.path, c.target)
	}
	if err != nil {
		return err
	}
	c.state = untouched
	return syncDir(filepath.Dir(c.path))
}

// discard removes what prepare made and commit did not use.
func (c *directoryChange) discard() {
	if c.sibling == "" || c.state != untouched {
		return
	}
	removeIfOnly(c.sibling, entryFiles[:]...)
	if c.aside == "" {
		return
	}
	if kept, err := os.Readlink(c.path + previous); err == nil && kept == filepath.Base(c.aside) {
		_ = os.Remove(c.path + previous)
	}
	if info, err := os.Lstat(c.aside); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		_ = os.Remove(c.aside)
	}
}

func (c *directoryChange) temporary() []string {
	paths := []string{c.sibling}
	for _, name := range entryFiles {
		paths = append(paths, filepath.Join(c.sibling, name))
	}
	return paths
}

// final is empty: the sibling keeps its name.
func (c *directoryChange) final() []string { return nil }

// tidy removes siblings that are neither the current one nor the one before.
func (c *directoryChange) tidy() []Problem {
	var problems []Problem
	prefix := filepath.Base(c.path) + generation
	if c.state == turned && c.target != "" && !strings.HasPrefix(filepath.Base(c.target), prefix) {
		problems = append(problems, tookPlace(c.path, c.target))
	}
	inUse := func(sibling fs.FileInfo) bool {
		for _, path := range []string{c.path, c.path + previous} {
			if info, err := os.Stat(path); err == nil && os.SameFile(info, sibling) {
				return true
			}
		}
		return false
	}
	for _, e := range siblings(c.path) {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		info, err := e.Info()
		if !ok || !isNumber(number) || err != nil || inUse(info) {
			continue
		}
		at := filepath.Join(filepath.Dir(c.path), e.Name())
		if info.Mode()&fs.ModeSymlink != 0 {
			_ = os.Remove(at) // of a conversion that did not happen
			continue
		}
		removeIfOnly(at, entryFiles[:]...)
		if _, err := os.Lstat(at); err == nil {
			problems = append(problems, Problem{CodeLeftover, Warning,
				(&FileError{at, "an old copy of a pair that could not be removed", "is something else in it? remove it by hand", ErrTarget}).Error()})
		}
	}
	return problems
}
