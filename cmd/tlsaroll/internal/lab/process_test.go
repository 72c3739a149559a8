package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func startProcess(t *testing.T, argv ...string) *process {
	t.Helper()
	p, err := run("server", filepath.Join(t.TempDir(), "log"), argv...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStop(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "sleep", "60")
	if err := p.ended(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

func TestStopSaysThatAServerEndedByItself(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "ls", "--no-such-option")
	<-p.done
	err := p.stop()
	if err == nil || !strings.HasPrefix(err.Error(), "server: ended by itself (exit status 2): ls:") {
		t.Errorf("got %v", err)
	}
}

// xargs dies of the signal and leaves its sleep behind.
func TestStopFindsAndEndsChildren(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "xargs", "sleep", "60")
	pid := p.cmd.Process.Pid
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := await(ctx, func(context.Context) error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err == nil && len(children) == 0 {
			err = errors.New("no child yet")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	err := p.stop()
	if err == nil || !strings.Contains(err.Error(), "server: left behind: ") {
		t.Errorf("got %v, want that a child was left", err)
	}
	// It was killed a moment ago; its new parent has to see it.
	if err := await(ctx, func(context.Context) error { return gone(pid) }); err != nil {
		t.Error(err)
	}
}

func gone(pgid int) error {
	left, err := groupMembers(pgid)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("still there: %v", left)
	}
	return err
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]stat{
		"412 (master) S 1 412 400 0 -1":   {412, 412, "master", "S"},
		"7 (a) Z (b) ) Z 1 9 9 0 -1":      {7, 9, "a) Z (b) ", "Z"},
		"7 ( (x) R 1 9 9":                 {7, 9, " (x", "R"},
		"":                                {},
		"7 (cut":                          {},
		"7 (cut) S 1":                     {},
		"x (name) S 1 9 9":                {},
		"7 (name) S 1 none 9 0 -1 and on": {},
	} {
		got, ok := parseStat(text)
		if ok != (want.pid != 0) || ok && got != want {
			t.Errorf("%q: got %+v, %t, want %+v", text, got, ok, want)
		}
	}
}

// TestHelperLab is no test: TestKilled runs it in a process of its own.
func TestHelperLab(t *testing.T) {
	if os.Getenv("LAB_HELPER") == "" {
		t.Skip("the process that TestKilled kills")
	}
	l := Start(t, Options{Resolvers: 1, Dovecot: true})
	if err := json.NewEncoder(os.Stderr).Encode(helperLab{l.PIDs(), l.block.third, l.Dir}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

type helperLab struct {
	PIDs  map[string]int
	Block byte
	Dir   string
}

// A test binary that is killed, as by go test's timeout, cannot clean up; its
// servers go with it all the same, and the next lab takes the addresses over.
func TestKilled(t *testing.T) {
	t.Parallel()
	require(t, Options{Dovecot: true}, thisMachine())
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestHelperLab$")
	cmd.Env = append(os.Environ(), "LAB_HELPER=1")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lab helperLab
	line, readErr := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(readErr, json.Unmarshal(line, &lab), cmd.Process.Kill()); err != nil {
		t.Errorf("helper: %v: %s", err, line)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the helper was not killed")
	}
	t.Cleanup(func() { os.RemoveAll(lab.Dir) })
	if len(lab.PIDs) < 6 {
		t.Fatalf("helper's servers: %v", lab.PIDs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, pid := range lab.PIDs {
		err := await(ctx, func(context.Context) error {
			return gone(pid)
		})
		if err != nil {
			t.Errorf("%s outlives the test: %v", name, err)
		}
	}
	b, err := tryBlock(t.Context(), lab.Block, []byte{1})
	if errors.Is(err, errBlockInUse) {
		return // another lab was quicker, and works
	}
	if err != nil {
		t.Fatal(err)
	}
	present, err := b.present()
	if err != nil || len(present) != 1 {
		t.Errorf("addresses: %v (%v), want our one", present, err)
	}
	if err := b.release(t.Context()); err != nil {
		t.Error(err)
	}
}
