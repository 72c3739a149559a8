package certwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A stamp is what changes about a file when somebody changes it. Replacing a
// file gives another inode, writing in place another time and often another
// size, turning a symbolic link another inode.
type stamp struct {
	path             string
	device, inode    uint64
	mode             uint32
	size             int64
	modified, status unix.Timespec // mtime and ctime
}

// changed is the time of the last change that nobody can set back by hand.
func (s stamp) changed() time.Time { return time.Unix(s.status.Unix()) }

func stampOf(path string, st *unix.Stat_t) stamp {
	return stamp{path, uint64(st.Dev), st.Ino, uint32(st.Mode), st.Size, st.Mtim, st.Ctim}
}

func (s stamp) isLink() bool { return s.mode&unix.S_IFMT == unix.S_IFLNK }

// kind says in words what is there, "" for a regular file.
func (s stamp) kind() string {
	switch s.mode & unix.S_IFMT {
	case unix.S_IFREG:
		return ""
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFIFO:
		return "pipe"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "device"
}

// maxHops is how many symbolic links may lie on the way, as in Linux.
const maxHops = 40

// stamps returns a stamp for each symbolic link on the way to the file and, as
// the last, one for the file: certbot's live/NAME/fullchain.pem is a link that is
// turned while no file is written.
func stamps(path string) ([]stamp, error) {
	way, err := walk(path)
	if err != nil {
		return nil, err
	}
	last := len(way) - 1
	seen := slices.DeleteFunc(way[:last:last], func(s stamp) bool { return !s.isLink() })
	return append(seen, way[last]), nil
}

// walk returns a stamp for each entry that is looked up on the way to the file, in
// order: directories, symbolic links, and the file at the end. What is missing, or
// cannot be looked up, is the path of the error, which is a [fs.PathError]; the
// stamps are those before it.
func walk(path string) (way []stamp, err error) {
	todo := path
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		todo = dir + "/" + path
	}
	done := "/"
	for links := 0; todo != ""; {
		var name string
		name, todo, _ = strings.Cut(todo, "/")
		at := filepath.Join(done, name)
		var st unix.Stat_t
		if err := unix.Lstat(at, &st); err != nil {
			return way, &fs.PathError{Op: "lstat", Path: at, Err: err}
		}
		seen := stampOf(at, &st)
		way = append(way, seen)
		if !seen.isLink() {
			done = at
			continue
		}
		if links++; links > maxHops {
			return way, &fs.PathError{Op: "lstat", Path: path, Err: unix.ELOOP}
		}
		target, err := os.Readlink(at)
		if err != nil {
			return way, err
		}
		if filepath.IsAbs(target) {
			done = "/"
		}
		todo = target + "/" + todo
	}
	return way, nil
}

// directoryChanged is when an entry of the directory of path was made, renamed
// or removed, the zero time if there is no such directory.
func directoryChanged(path string) time.Time {
	info, err := os.Lstat(filepath.Dir(path))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// pathOf is the path that the operating system stumbled over.
func pathOf(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Path
	}
	return ""
}

// cause is the operating system's word for what went wrong, without the path.
func cause(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	case errors.As(err, &call):
		return call.Err.Error()
	}
	return err.Error()
}
