package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// moveAside gives a corrupt file another name. It holds the file's lock
// meanwhile: another instance may have found the same damage and have moved it
// already. Then nothing is moved, and the name is "".
func moveAside(path string, corrupt os.FileInfo) (aside string, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return "", ErrLocked
	}
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case !os.SameFile(now, corrupt):
		return "", nil
	}
	return rename(path)
}

// rename gives a file a name that is free.
func rename(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.corrupt-%d", path, n)
		_, err := os.Lstat(aside)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return aside, first(os.Rename(path, aside), syncDir(filepath.Dir(path)))
		case err != nil:
			return "", err
		}
	}
}

// makeDir makes a directory durably, unless it is there.
func makeDir(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return first(os.MkdirAll(path, 0o700), syncDir(filepath.Dir(path)))
}

// private refuses a directory in which everyone may put a journal, a stash or live
// links of their own: with these they would choose the certificate that is served.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if perm := info.Mode().Perm(); perm&0o002 != 0 {
		return fmt.Errorf("%w, mode %04o (hint: chmod 700 %s, and look whose files are in it)", ErrExposed, perm, dir)
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return first(d.Sync(), d.Close())
}
