package rfc2136

import (
	"crypto/tls"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickAck acknowledges at once what comes next. Some servers hold a reply back until
// the one before it is acknowledged (RFC 896; BIND 9.18 does), and the kernel waits 40 ms
// with that when there is nothing to send. It has to be said again for every reply.
func quickAck(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	tcp, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // without it nothing but speed is lost
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
