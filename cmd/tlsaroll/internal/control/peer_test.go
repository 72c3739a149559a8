package control

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

// command is this test binary as another process, that of a child's part.
func command(t *testing.T, part, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	// With the race detector a process else waits for a second before it ends.
	cmd.Env = append(os.Environ(), childPart+"="+part, childPath+"="+path, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// otherUser is command for another user.
func otherUser(t *testing.T, part, path string, who syscall.Credential) *exec.Cmd {
	t.Helper()
	var missing string
	switch {
	case runtime.GOOS != "linux":
		missing = "only Linux says who connects"
	case os.Geteuid() != 0:
		missing = "not root (hint: it needs processes of other users)"
	}
	if missing != "" && os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("%s; TLSAROLL_E2E=require forbids leaving it out", missing)
	}
	if missing != "" {
		t.Skipf("LEFT OUT, a test with other users: %s", missing)
	}
	cmd := command(t, part, path)
	cmd.Path = "/proc/self/exe" // whose directory need not be readable
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &who}
	return cmd
}

func TestDoor(t *testing.T) {
	d := door{uid: 110, group: group{"mail", 8}}
	for name, c := range map[string]struct {
		peer peer.Process
		want string
	}{
		"root":              {peer.Process{UID: 0, GID: 0}, ""},
		"the daemon's user": {peer.Process{UID: 110, GID: 1}, ""},
		"first group":       {peer.Process{UID: 1, GID: 8}, ""},
		"other group":       {peer.Process{UID: 1, GID: 1, Groups: []uint32{2, 8}}, ""},
		"stranger":          {peer.Process{UID: 8, GID: 110, Groups: []uint32{0, 110}}, "uid 8 is not in group mail (hint: run it as root, or join the group and log in again)"},
	} {
		if got := d.refuse(c.peer); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestPeers asks as other users. The mode of the socket keeps most of them out, and
// who they are is asked in any case.
func TestPeers(t *testing.T) {
	const gid = 54321
	many := make([]uint32, 100) // more groups than most have
	for i := range many {
		many[i] = uint32(60000 + i)
	}
	for name, c := range map[string]struct {
		who   syscall.Credential
		mode  os.FileMode
		want  string
		inLog string
	}{
		"stranger": {who: syscall.Credential{Uid: 1001, Gid: 1001}, mode: socketMode,
			want: "true control socket: permission denied at PATH (hint: run it as root, or join group 54321 and log in again)"},
		"stranger before a lax socket": {who: syscall.Credential{Uid: 1001, Gid: 1001, Groups: []uint32{100, 54320}}, mode: 0o666,
			want:  "true control socket: permission denied at PATH: uid 1001 is not in group 54321 (hint: run it as root, or join the group and log in again)",
			inLog: `level=WARN msg="control request refused" why="uid 1001 is not in group 54321 (hint: run it as root, or join the group and log in again)" peer.uid=1001 peer.gid=1001`},
		"member": {who: syscall.Credential{Uid: 1001, Gid: 1001, Groups: []uint32{100, gid}}, mode: socketMode,
			want: "welcome", inLog: `level=INFO msg="control request" command=status lineage="" peer.uid=1001 peer.gid=1001`},
		"member of many": {who: syscall.Credential{Uid: 1001, Gid: 1001, Groups: append(many, gid)}, mode: socketMode, want: "welcome"},
		"by first group": {who: syscall.Credential{Uid: 1001, Gid: gid}, mode: socketMode, want: "welcome"},
		"root":           {who: syscall.Credential{}, mode: socketMode, want: "welcome"},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				otherUser(t, "ask", "", c.who) // says why not
			}
			d := startFor(t, Server{Carry: func(_ context.Context, _ Request, to *Reply) int {
				to.Result("welcome")
				return 0
			}}, fmt.Sprint(gid))
			must(t, os.Chmod(d.path, c.mode))
			cmd := otherUser(t, "ask", d.path, c.who)
			cmd.Stderr = os.Stderr
			out, _ := cmd.Output()
			got := strings.TrimPrefix(strings.TrimSpace(strings.ReplaceAll(string(out), d.path, "PATH")), "result ")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			d.end(t)
			if !strings.Contains(d.log.String(), c.inLog) {
				t.Errorf("no %q in\n%s", c.inLog, d.log)
			}
		})
	}
}

// TestNoKeyForStrangers is not taken in by who listens in a directory that is open to all.
func TestNoKeyForStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		owner int
		want  string
	}{
		"anybody's directory": {owner: 0, want: "control socket: uid 1001, to whom the directory does not belong, listens at PATH (hint: stop its process PID, or set another path for control)"},
		"its own directory":   {owner: 1001, want: "control socket: the daemon does not answer at PATH (hint: see its log and restart it)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := socketDir(t)
			path := filepath.Join(dir, "control.sock")
			cmd := otherUser(t, "listen", path, syscall.Credential{Uid: 1001, Gid: 1001})
			must(t, os.Chown(dir, c.owner, 0))
			must(t, os.Chmod(dir, 0o777|os.ModeSticky))
			stdin, err := cmd.StdinPipe()
			must(t, err)
			stdout, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			defer cmd.Wait()
			defer io.Copy(io.Discard, stdout)
			defer stdin.Close()
			if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "listening\n" {
				t.Fatal(line)
			}
			_, err = Client{Path: path, Patience: quick.Write}.Do(t.Context(), request(), &recorder{})
			if err == nil {
				t.Fatal("it was taken in")
			}
			got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), path, "PATH"), fmt.Sprintf("process %d,", cmd.Process.Pid), "process PID,")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
