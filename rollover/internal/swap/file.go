package swap

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// previous is what the name of the old one ends in.
const previous = ".previous"

// A fileChange replaces one file by one rename.
type fileChange struct {
	host    Host
	path    string
	content []byte
	owner   ownership
	mode    fs.FileMode

	pending  *renameio.PendingFile // nil: nothing to change
	existed  bool
	was      string // what it was a symlink to
	switched bool
}

func (c *fileChange) at() string { return c.path }

func (c *fileChange) changes() bool { return c.pending != nil }

// prepare writes the new file beside the old one, with its owner and mode.
func (c *fileChange) prepare() error {
	if err := c.host.before(opTidy, c.path); err != nil {
		return err
	}
	c.host.removePending(c.path)
	info, err := os.Lstat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode().IsRegular() && c.holds():
		return nil
	case info.Mode().IsRegular(), info.Mode()&fs.ModeSymlink != 0:
		c.existed = true
		c.was, _ = os.Readlink(c.path) // of a file: none
	case info.IsDir():
		return &FileError{c.path, "a directory", "to install into a directory write dir: instead of path:", ErrTarget}
	default:
		return &FileError{c.path, "neither a file nor a symlink", "", ErrTarget}
	}
	if info, err := os.Lstat(c.path + previous); err == nil && info.IsDir() {
		return &FileError{c.path + previous, "a directory stands where the old file is to be kept", "move it away", ErrTarget}
	}
	if err := c.host.before(opWrite, c.path); err != nil {
		return err
	}
	c.pending, err = renameio.NewPendingFile(c.path, renameio.WithTempDir(filepath.Dir(c.path)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	failpoint.Here("install file: temporary file made")
	if err := fill(c.pending.File, c.content, c.owner, c.mode); err != nil {
		return err
	}
	failpoint.Here("install file: temporary file written")
	return nil
}

// holds reports whether the file is already as it should be.
func (c *fileChange) holds() bool { return isFile(c.path, c.content, c.owner, c.mode) }

// commit keeps the old file and renames the new one into its place.
func (c *fileChange) commit() error {
	if c.existed {
		if err := c.host.before(opKeep, c.path); err != nil {
			return err
		}
		failpoint.Here("install file: before the old one is kept")
		if err := keep(c.path); err != nil {
			return err
		}
	}
	failpoint.Here("install file: before the rename")
	if err := c.host.before(opSwitch, c.path); err != nil {
		return err
	}
	if err := c.pending.CloseAtomicallyReplace(); err != nil {
		return err
	}
	failpoint.Here("install file: renamed")
	c.switched = true
	return c.host.syncDir(c.path)
}

// restore puts the kept file back into its place.
func (c *fileChange) restore() error {
	if !c.switched {
		return nil
	}
	err := c.host.before(opBack, c.path)
	switch {
	case err != nil:
	case c.existed:
		err = os.Rename(c.path+previous, c.path)
	default:
		err = os.Remove(c.path)
	}
	if err != nil {
		return err
	}
	c.switched = false
	return syncDir(filepath.Dir(c.path))
}

// discard removes what prepare made and commit did not use.
func (c *fileChange) discard() {
	if c.pending != nil {
		_ = c.pending.Cleanup() // the next switch tries again
	}
}

// temporary are the paths that need a security label before the rename.
func (c *fileChange) temporary() []string { return []string{c.pending.Name()} }

// final are the paths that may need another label under their own name.
func (c *fileChange) final() []string { return []string{c.path} }

// tidy closes the old file to all but its owner.
func (c *fileChange) tidy() []Problem {
	if c.was != "" {
		return []Problem{tookPlace(c.path, c.was)}
	}
	if err := closeToOthers(c.path + previous); err != nil {
		return []Problem{{CodeLeftover, Warning, (&FileError{c.path + previous, cause(err), "it holds the previous key; chmod 600 it", err}).Error()}}
	}
	return nil
}

// tookPlace says, once, that something else now decides what is behind a path.
func tookPlace(path, target string) Problem {
	return complaint{CodeTookPlace, Warning, path, "was a symlink to " + target + ", which is kept as " + filepath.Base(path) + previous,
		"whoever wrote there no longer changes what the server reads"}.problem()
}

// fill writes, syncs and gives away an open file.
func fill(f *os.File, content []byte, owner ownership, mode fs.FileMode) error {
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Chown(owner.uid, owner.gid); err != nil {
		return err
	}
	// After the owner, as a change of owner may take from the mode.
	return first(f.Chmod(mode), f.Sync())
}

// isFile reports whether there is a regular file with this content, owner and mode.
func isFile(path string, content []byte, owner ownership, mode fs.FileMode) bool {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return false
	}
	if !owner.owns(&st) || fs.FileMode(st.Mode&0o7777) != mode || st.Size != int64(len(content)) {
		return false
	}
	got, err := os.ReadFile(path)
	return err == nil && bytes.Equal(got, content)
}

// keep makes path.previous another name of the file, or a copy where the file
// system or its owner forbids that. A symlink is kept as one.
func keep(path string) error {
	old, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if kept, err := os.Lstat(path + previous); err == nil && os.SameFile(old, kept) {
		return nil // since a crash
	}
	temp := hidden(path, previous)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(path, temp) != nil {
		if err := duplicate(path, temp); err != nil {
			return err
		}
	}
	failpoint.Here("old file: linked, before its rename")
	if err := os.Rename(temp, path+previous); err != nil {
		return err
	}
	failpoint.Here("old file: renamed")
	return nil
}

// duplicate copies a symlink, or a file with its mode and, where allowed, its owner.
func duplicate(from, to string) error {
	if target, err := os.Readlink(from); err == nil {
		return os.Symlink(target, to)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(in.Fd()), &st); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	_ = out.Chown(int(st.Uid), int(st.Gid)) // only root may; the copy is kept for root
	return first(err, out.Chmod(fs.FileMode(st.Mode&0o777)), out.Sync(), out.Close())
}

// closeToOthers makes a kept file 0600, unless it is in use under another name.
func closeToOthers(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || st.Mode&0o777 == 0o600 {
		return nil
	}
	return f.Chmod(0o600)
}

// syncDir makes the names in the directory of path durable.
func (h Host) syncDir(path string) error {
	if err := h.before(opSync, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return first(d.Sync(), d.Close())
}
