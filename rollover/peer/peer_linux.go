package peer

import (
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of asks the kernel who is at the other end. It fails for what is not a socket.
func Of(c net.Conn) (p Process, err error) {
	err = onSocket(c, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			p = Process{cred.Uid, cred.Gid, groups(fd), cred.Pid}
		}
		return err
	})
	return p, err
}

// Gone reports whether the other end was closed: nobody waits for an answer.
func Gone(c net.Conn) bool {
	var n int
	err := onSocket(c, func(fd int) (err error) {
		n, _, err = unix.Recvfrom(fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err
	})
	return err == nil && n == 0
}

// groups are the supplementary ones (SO_PEERGROUPS), for which x/sys/unix has no function.
func groups(fd int) []uint32 {
	groups := make([]uint32, 64)
	for {
		size := uint32(4 * len(groups)) // octets; the kernel puts in what it has
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
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

func onSocket(c net.Conn, do func(fd int) error) error {
	conn, ok := c.(syscall.Conn)
	if !ok {
		return fmt.Errorf("%T is not a socket", c)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}
