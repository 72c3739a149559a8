package peer

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// TestOf: the kernel knows who is at the other end, and whether it still is.
func TestOf(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	p, err := Of(ours)
	if runtime.GOOS != "linux" {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%+v, %v: somebody is known", p, err)
		}
		return
	}
	if err != nil || p.UID != uint32(os.Geteuid()) || p.GID != uint32(os.Getegid()) || p.PID != int32(os.Getpid()) {
		t.Errorf("%+v, %v: not this process", p, err)
	}
	mine, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, gid := range mine {
		if !slices.Contains(p.Groups, uint32(gid)) {
			t.Errorf("group %d is not in %v", gid, p.Groups)
		}
	}
	if Gone(ours) {
		t.Error("it is gone before it goes")
	}
	theirs.Close()
	if !Gone(ours) {
		t.Error("it is there when it has gone")
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if p, err := Of(a); err == nil {
		t.Errorf("%+v is at the other end of no socket", p)
	}
}
