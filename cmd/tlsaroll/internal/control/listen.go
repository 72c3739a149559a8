package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

const (
	maxPath    = 107 // the room in sockaddr_un, less the final zero (unix(7))
	socketMode = 0o660
)

// Listener is a control socket that nobody answers yet.
type Listener struct {
	listener net.Listener
	path     string
	made     fs.FileInfo // tells the socket from one that took its place
	door     door

	once   sync.Once
	closed error
}

// Listen makes the control socket, mode 0660, and gives it to a group. It has its
// rights before it has its name. A missing directory is made, 0755, and a socket
// that a dead daemon left is replaced. The error is [ErrRunning] if a daemon
// answers already; what is no socket is refused and left alone.
func Listen(path, groupName string) (*Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("control socket: a path of %d octets, and a socket's has room for %d: %s (hint: choose a shorter one)", len(path), maxPath, path)
	}
	g, err := lookupGroup(groupName)
	if err != nil {
		return nil, err
	}
	if err := makeDirectory(filepath.Dir(path)); err != nil {
		return nil, at(path, cause(err), "make the directory, or let tlsaroll's user do so")
	}
	stale, err := look(path)
	if err != nil {
		return nil, err
	}
	listener, temporary, err := bind(path)
	if err != nil {
		return nil, at(path, cause(err), "tlsaroll's user must be able to write to the directory")
	}
	l := &Listener{listener: listener, path: path, door: door{uint32(os.Geteuid()), g}}
	if err := l.appear(temporary, stale); err != nil {
		listener.Close()
		os.Remove(temporary)
		return nil, err
	}
	return l, nil
}

// Close takes the socket away, if it is still this one, and stops listening. Those who
// are connected stay so. It may be called again.
func (l *Listener) Close() error {
	l.once.Do(func() {
		// In this order: while we listen nobody replaces the socket, and its inode is
		// not given to another.
		if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.made) {
			os.Remove(l.path)
		}
		l.closed = l.listener.Close()
	})
	return l.closed
}

// makeDirectory gives what it makes its mode whatever the umask.
func makeDirectory(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// look finds out what stands where the socket is to be: nothing, or a stale socket.
func look(path string) (stale fs.FileInfo, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, at(path, cause(err), "")
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, at(path, errors.New("something other than a socket stands"), "move it away, or set another path for control")
	}
	conn, err := net.Dial("unix", path)
	switch {
	case err == nil:
		conn.Close()
		return nil, running(path)
	case errors.Is(err, syscall.EAGAIN): // more wait there than the kernel lets in
		return nil, running(path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return info, nil
	case errors.Is(err, fs.ErrNotExist): // gone since
		return nil, nil
	}
	return nil, at(path, cause(err), "a socket of another program? set another path for control")
}

func running(path string) error {
	return at(path, ErrRunning, "stop it first, or set another path for control")
}

// bind listens under a temporary name beside path, which is no longer than path so
// that it has room wherever path has.
func bind(path string) (_ net.Listener, temporary string, err error) {
	config := net.ListenConfig{Control: private}
	dir, base := filepath.Split(path)
	for range 100 {
		temporary = dir + rand.Text()[:min(len(base), 12)]
		if temporary == path {
			continue
		}
		var listener net.Listener
		if listener, err = config.Listen(context.Background(), "unix", temporary); err == nil {
			listener.(*net.UnixListener).SetUnlinkOnClose(false) // the name will be another
			return listener, temporary, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, "", err
}

// appear gives the socket its rights, then its name. The name is made by link(2), which
// unlike rename(2) does not replace what another daemon put there meanwhile.
func (l *Listener) appear(temporary string, stale fs.FileInfo) (err error) {
	if l.made, err = os.Lstat(temporary); err != nil {
		return at(l.path, cause(err), "")
	}
	if err := os.Lchown(temporary, -1, int(l.door.group.gid)); err != nil {
		hint := "run as root, or set control-group to one that uid " + strconv.Itoa(os.Geteuid()) + " is a member of"
		return at(l.path, fmt.Errorf("giving it to group %s: %w", l.door.group.name, cause(err)), hint)
	}
	if err := os.Chmod(temporary, socketMode); err != nil {
		return at(l.path, cause(err), "")
	}
	if stale != nil {
		if err := takeAway(l.path, stale); err != nil {
			return err
		}
	}
	err = os.Link(temporary, l.path)
	if errors.Is(err, fs.ErrExist) {
		return running(l.path)
	}
	if err != nil {
		return at(l.path, cause(err), "")
	}
	os.Remove(temporary)
	return nil
}

// takeAway removes a stale socket, and nothing else: two daemons that start at once
// may both have found it, and only one can move it aside.
func takeAway(path string, stale fs.FileInfo) error {
	dir, base := filepath.Split(path)
	aside := dir + "." + base + "." + rand.Text()
	if err := os.Rename(path, aside); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the other was faster; link will tell
		}
		return at(path, cause(err), "")
	}
	info, err := os.Lstat(aside)
	if err == nil && !os.SameFile(info, stale) {
		_ = os.Link(aside, path) // the other was faster still: this is its new one
		os.Remove(aside)
		return running(path)
	}
	os.Remove(aside)
	return nil
}
