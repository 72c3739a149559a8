package installer

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// peerOf asks the kernel who is at the other end (SO_PEERCRED of unix(7)).
func peerOf(c net.Conn) (p peer, err error) {
	err = onSocket(c, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			p = peer{cred.Uid, cred.Gid, cred.Pid}
		}
		return err
	})
	return p, err
}

// gone reports whether the other end was closed: nobody waits for an answer.
func gone(c net.Conn) bool {
	var n int
	err := onSocket(c, func(fd int) (err error) {
		n, _, err = unix.Recvfrom(fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err
	})
	return err == nil && n == 0
}

func onSocket(c net.Conn, do func(fd int) error) error {
	conn, ok := c.(syscall.Conn)
	if !ok {
		return fmt.Errorf("%T is no socket", c)
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
