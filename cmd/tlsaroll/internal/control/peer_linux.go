package control

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownersOf is whom a file belongs to.
func ownersOf(info fs.FileInfo) (uid, gid uint32) {
	st := info.Sys().(*syscall.Stat_t)
	return st.Uid, st.Gid
}

// private gives a socket its mode before it has a name: bind(2) takes it over, so
// that the name is nobody else's from the first moment.
func private(_, _ string, raw syscall.RawConn) error {
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.Fchmod(int(fd), 0o600) }); err != nil {
		return err
	}
	return failed
}
