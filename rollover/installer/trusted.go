package installer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks are as many symlinks as Linux follows (path_resolution(7)).
const maxLinks = 40

// Trusted refuses a path that anybody but root and us could make lead to something else: who
// may write the configuration, or a directory on the way to it, chooses what is run. Symlinks are
// followed as the kernel does, as each may lie in another's directory.
func Trusted(path string) error {
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		path = dir + "/" + path
	}
	at, links, steps := "/", 0, strings.Split(path, "/")
	if err := trusted(at); err != nil {
		return err
	}
	for len(steps) > 0 {
		step := steps[0]
		steps = steps[1:]
		switch step {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at) // no symlink is in it any more
			continue
		}
		next := filepath.Join(at, step)
		if err := trusted(next); err != nil {
			return err
		}
		target, err := os.Readlink(next)
		if err != nil {
			at = next // no symlink
			continue
		}
		if links++; links > maxLinks {
			return &os.PathError{Op: "open", Path: path, Err: unix.ELOOP}
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		steps = append(strings.Split(target, "/"), steps...)
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
	case st.Mode&0o002 != 0, st.Mode&0o020 != 0 && (st.Gid != 0 || listed(at)):
		return fmt.Errorf("%s: others than root may write it, and so choose what is run as root (hint: chmod go-w %s)", at, at)
	}
	return nil
}
