package lookup

import (
	"net"
	"os"
	"syscall"
	"testing"
)

func TestNoRoute(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		syscall.ENETUNREACH: true, syscall.EADDRNOTAVAIL: true, syscall.EAFNOSUPPORT: true,
		syscall.EHOSTUNREACH: false, syscall.ECONNREFUSED: false, syscall.EPERM: false,
	} {
		err := &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", errno)}
		if got := noRoute(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
		if got := brief(err); got != errno.Error() {
			t.Errorf("brief: %s", got)
		}
	}
}
