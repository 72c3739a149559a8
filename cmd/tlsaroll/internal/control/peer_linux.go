package control

import (
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peerOf asks the kernel who is at the other end (SO_PEERCRED of unix(7)).
func peerOf(c net.Conn) (peer, error) {
	conn, ok := c.(syscall.Conn)
	if !ok {
		return peer{}, fmt.Errorf("%T is not a socket", c)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var p peer
	var failed error
	err = raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); failed != nil {
			return
		}
		p = peer{cred.Uid, cred.Gid, peerGroups(fd), cred.Pid}
	})
	if err == nil {
		err = failed
	}
	return p, err
}

// peerGroups are the peer's supplementary groups (SO_PEERGROUPS), for which
// x/sys/unix has no function. Where the kernel does not tell there are none, which
// gives fewer rights, not more.
func peerGroups(fd uintptr) []uint32 {
	groups := make([]uint32, 64)
	for {
		size := uint32(4 * len(groups)) // octets; the kernel puts in what it has
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4]
		case errno == unix.ERANGE && int(size/4) > len(groups):
			groups = make([]uint32, size/4)
		default:
			return nil
		}
	}
}

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
