package installer

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Trusted refuses a path that anybody but root and us could make lead to something else: who
// may write the configuration, or a directory on the way to it, chooses what is run.
func Trusted(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, way := range []string{path, resolved} {
		for at := way; ; at = filepath.Dir(at) {
			if err := trusted(at); err != nil {
				return err
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return nil
}

func trusted(at string) error {
	var st unix.Stat_t
	if err := unix.Lstat(at, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: at, Err: err}
	}
	kind := st.Mode & unix.S_IFMT
	switch {
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s: belongs to uid %d, who could change what is run as root (hint: chown root %s)", at, st.Uid, at)
	case kind == unix.S_IFLNK:
	case kind == unix.S_IFDIR && st.Mode&unix.S_ISVTX != 0: // what is in it is its owner's, who was or will be looked at
	case st.Mode&0o002 != 0, st.Mode&0o020 != 0 && st.Gid != 0:
		return fmt.Errorf("%s: others than root may write it, and so choose what is run as root (hint: chmod go-w %s)", at, at)
	}
	return nil
}
