package swap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// Installed is the directory of the entry that the live symlink points at, ""
// where there is no symlink yet. Whether the entry is there and whole is another
// question. Its base name is that of the entry; the way to it has no symlinks.
func (h Host) Installed() (entry string, err error) {
	target, err := readLive(h.Live)
	if err != nil || target == "" {
		return "", err
	}
	if filepath.IsAbs(target) {
		return filepath.Clean(target), nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(h.Live))
	if err != nil {
		return "", failed(h.Live, err)
	}
	return filepath.Join(dir, target), nil
}

func readLive(path string) (target string, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", failed(path, err)
	case info.Mode()&fs.ModeSymlink == 0:
		return "", &FileError{path, "not a symlink", "nothing but tlsaroll may write there; move it away", ErrTarget}
	}
	target, err = os.Readlink(path)
	return target, failed(path, err)
}

// A liveChange turns the live symlink. The link is relative, so that the state
// directory may be mounted under another name elsewhere.
type liveChange struct {
	host  Host
	entry *entry

	link     string // what it is to say; "": nothing to change
	target   string // what it says now
	switched bool
}

func (c *liveChange) at() string { return c.host.Live }

func (c *liveChange) changes() bool { return c.link != "" }

func (c *liveChange) prepare() (err error) {
	if c.target, err = readLive(c.host.Live); err != nil {
		return err
	}
	dir := filepath.Dir(c.host.Live)
	if err := c.host.before(opWrite, c.host.Live); err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := first(os.MkdirAll(dir, 0o700), syncDir(filepath.Dir(dir))); err != nil {
			return err
		}
	}
	c.host.removePending(c.host.Live)
	from, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	to, err := filepath.EvalSymlinks(c.entry.dir)
	if err != nil {
		return err
	}
	link, err := filepath.Rel(from, to)
	if err != nil {
		return fmt.Errorf("from %s to %s: %w", from, to, err)
	}
	if link != c.target {
		c.link = link
	}
	return nil
}

func (c *liveChange) commit() error {
	if err := c.host.before(opSwitch, c.host.Live); err != nil {
		return err
	}
	failpoint.Here("live link: before the rename")
	if err := turn(c.host.Live, c.link); err != nil {
		return err
	}
	failpoint.Here("live link: renamed")
	c.switched = true
	return c.host.syncDir(c.host.Live)
}

func (c *liveChange) restore() error {
	if !c.switched {
		return nil
	}
	err := c.host.before(opBack, c.host.Live)
	switch {
	case err != nil:
	case c.target == "":
		err = os.Remove(c.host.Live)
	default:
		err = turn(c.host.Live, c.target)
	}
	if err != nil {
		return err
	}
	c.switched = false
	return syncDir(filepath.Dir(c.host.Live))
}

// holds leaves the live symlink to [Host.Installed].
func (c *liveChange) holds() bool { return true }

func (c *liveChange) discard() {}

func (c *liveChange) temporary() []string { return nil }

func (c *liveChange) final() []string { return nil }

func (c *liveChange) tidy() []Problem { return nil }
