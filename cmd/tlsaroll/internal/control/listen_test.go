package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// socketDir has a short name, and lets other users in.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ownGroup is one that we may give a socket to.
func ownGroup() string { return strconv.Itoa(os.Getegid()) }

// TestRights looks at the socket from its first moment on, under the laxest
// and the strictest umask.
func TestRights(t *testing.T) {
	group, gid := ownGroup(), uint32(os.Getegid())
	if os.Geteuid() == 0 {
		group, gid = "54321", 54321
	}
	for _, umask := range []int{0, 0o777 &^ 0o300} {
		dir := filepath.Join(socketDir(t), "run", "tlsaroll")
		path := filepath.Join(dir, "control.sock")
		defer syscall.Umask(syscall.Umask(umask))

		var stop atomic.Bool
		looked := make(chan struct{})
		go func() {
			defer close(looked)
			for last := false; !last; {
				last = stop.Load() // and look once more
				entries, _ := os.ReadDir(dir)
				for _, e := range entries {
					info, err := e.Info()
					if err != nil {
						continue // renamed since
					}
					if e.Name() != "control.sock" {
						if mode := info.Mode().Perm(); mode&0o007 != 0 {
							t.Errorf("umask %04o: temporary name: mode %v", umask, mode)
						}
						continue
					}
					if owner, owners := ownersOf(info); info.Mode() != fs.ModeSocket|socketMode || owner != uint32(os.Geteuid()) || owners != gid {
						t.Errorf("umask %04o: %v of %d:%d", umask, info.Mode(), owner, owners)
					}
				}
			}
		}()
		l, err := Listen(path, group)
		stop.Store(true)
		<-looked
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("umask %04o: directory: %v, %v", umask, info.Mode(), err)
		}
		if got := names(t, dir); got != "control.sock" {
			t.Errorf("beside the socket: %s", got)
		}
		l.Close()
		if got := names(t, dir); got != "" {
			t.Errorf("left over: %s", got)
		}
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// TestRefusedPlaces leaves alone what stands there.
func TestRefusedPlaces(t *testing.T) {
	socket := func(network string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if network == "unixgram" {
				c, err := net.ListenPacket(network, path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return
			}
			l, err := net.Listen(network, path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}
	}
	for name, c := range map[string]struct {
		put   func(t *testing.T, path string)
		group string
		want  string
		is    error
	}{
		"file": {put: func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("mine"), 0o600)) },
			want: "control socket: something other than a socket stands at PATH (hint: move it away, or set another path for control)"},
		"directory": {put: func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) },
			want: "control socket: something other than a socket stands at PATH (hint: move it away, or set another path for control)"},
		"symlink": {put: func(t *testing.T, path string) { must(t, os.Symlink("elsewhere", path)) },
			want: "control socket: something other than a socket stands at PATH (hint: move it away, or set another path for control)"},
		"a daemon": {put: socket("unix"), is: ErrRunning,
			want: "control socket: another daemon answers at PATH (hint: stop it first, or set another path for control)"},
		"another kind of socket": {put: socket("unixgram"),
			want: "control socket: protocol wrong type for socket at PATH (hint: a socket of another program? set another path for control)"},
		"unknown group": {put: func(*testing.T, string) {}, group: "no-such-group",
			want: `control socket: unknown group "no-such-group" (hint: make it with groupadd, or set another control-group; a group from LDAP must be given as a number)`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := socketDir(t)
			path := filepath.Join(dir, "control.sock")
			c.put(t, path)
			before, _ := os.Lstat(path)
			if c.group == "" {
				c.group = ownGroup()
			}
			l, err := Listen(path, c.group)
			if err == nil {
				l.Close()
				t.Fatal("it listens")
			}
			if got := strings.ReplaceAll(err.Error(), path, "PATH"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			after, _ := os.Lstat(path)
			if before != nil && (after == nil || !os.SameFile(before, after)) {
				t.Error("what stood there has gone")
			}
			if got := names(t, dir); got != "control.sock" && got != "" {
				t.Errorf("left over: %s", got)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestPathLength knows the room to the octet, also where the name is too short for a
// temporary one beside it.
func TestPathLength(t *testing.T) {
	dir := socketDir(t)
	for _, base := range append(slices.Repeat([]int{1}, 200), 2, 12, 30) { // a name of one letter may come out as its temporary one
		long := filepath.Join(dir, strings.Repeat("d", maxPath-len(dir)-base-2), strings.Repeat("S", base))
		l, err := Listen(long, ownGroup())
		if err != nil {
			t.Errorf("%d octets: %v", len(long), err)
			continue
		}
		if conn, err := net.Dial("unix", long); err != nil {
			t.Error(err)
		} else {
			conn.Close()
		}
		l.Close()
	}
	longer := dir + "/" + strings.Repeat("s", maxPath-len(dir))
	_, err := Listen(longer, ownGroup())
	want := "control socket: a path of 108 octets, and a socket's has room for 107: " + longer + " (hint: choose a shorter one)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// staleSocket is what a daemon leaves that was killed.
func staleSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// TestTwoStart has two daemons find the same stale socket: one gets its place.
func TestTwoStart(t *testing.T) {
	dir := socketDir(t)
	path := filepath.Join(dir, "control.sock")
	for range 200 {
		staleSocket(t, path)
		type outcome struct {
			l   *Listener
			err error
		}
		outcomes := make(chan outcome)
		for range 2 {
			go func() {
				l, err := Listen(path, ownGroup())
				outcomes <- outcome{l, err}
			}()
		}
		var winner *Listener
		for range 2 {
			switch o := <-outcomes; {
			case o.err == nil && winner == nil:
				winner = o.l
			case o.err == nil:
				t.Fatal("two daemons have the socket")
			case !errors.Is(o.err, ErrRunning):
				t.Fatal(o.err)
			}
		}
		if winner == nil {
			t.Fatal("no daemon has the socket")
		}
		if info, err := os.Lstat(path); err != nil || !os.SameFile(info, winner.made) {
			t.Fatalf("it is not the winner's: %v", err)
		}
		winner.Close()
		if got := names(t, dir); got != "" {
			t.Fatalf("left over: %s", got)
		}
	}
}

// TestCloseLeavesOthers removes nothing that took the place of our socket, or the name
// that it had at first.
func TestCloseLeavesOthers(t *testing.T) {
	path := filepath.Join(socketDir(t), "control.sock")
	l, err := Listen(path, ownGroup())
	must(t, err)
	must(t, os.Remove(path))
	other, err := net.Listen("unix", path)
	must(t, err)
	defer other.Close()
	first := l.listener.Addr().String()
	must(t, os.WriteFile(first, nil, 0o600))
	for range 2 {
		must(t, l.Close())
		for _, name := range []string{path, first} {
			if _, err := os.Lstat(name); err != nil {
				t.Error(err)
			}
		}
	}
}
