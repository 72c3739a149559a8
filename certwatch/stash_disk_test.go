package certwatch

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStashDiskFull fills a small file system for real.
func TestStashDiskFull(t *testing.T) {
	h := issue(t)
	s := Stash{Dir: mount(t, "size=16k")}
	small, large := pairFor(t, h.leaf), pairFor(t, h.leaf, h.intermediate)
	_, err := s.Put(small)
	if err == nil {
		_, err = s.Put(large)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want %v", err, unix.ENOSPC)
	}
	var e *StashError
	if !errors.As(err, &e) || e.Hint != "make room; nothing was changed" {
		t.Errorf("got %v", err)
	}
	ids, err := s.List()
	ok(t, err)
	for _, id := range ids {
		if _, err := s.Get(id); err != nil {
			t.Errorf("half an entry: %v", err)
		}
	}
	if removed, err := s.Sweep(); err != nil || len(removed) > 0 {
		t.Errorf("left behind: %v, %v", removed, err)
	}
}

func TestStashReadOnly(t *testing.T) {
	h := issue(t)
	dir := mount(t, "")
	s := Stash{Dir: dir + "/stash"}
	p := pairFor(t, h.leaf)
	_, err := s.Put(p)
	ok(t, err)
	ok(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if _, err := s.Put(p); err != nil {
		t.Errorf("a pair that is there: %v", err)
	}
	if _, err := s.Get(p.ID()); err != nil {
		t.Error(err)
	}
	_, err = s.Put(pairFor(t, h.leaf, h.intermediate))
	var e *StashError
	if !errors.Is(err, unix.EROFS) || !errors.As(err, &e) || e.Hint != "is it mounted read-only, or missing from the unit's ReadWritePaths=?" {
		t.Errorf("put: %v", err)
	}
	if err := s.Remove(p.ID()); !errors.Is(err, unix.EROFS) {
		t.Errorf("remove: %v", err)
	}
	if _, err := s.Get(p.ID()); err != nil {
		t.Errorf("after a failed removal: %v", err)
	}
}

func TestStashNotOurs(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may write everywhere; run the tests as another user, too")
	}
	dir := t.TempDir()
	chmod(t, dir, 0o500)
	t.Cleanup(func() { chmod(t, dir, 0o700) })
	_, err := Stash{Dir: dir + "/stash"}.Put(pairFor(t, issue(t).leaf))
	var e *StashError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &e) || e.Hint != "tlsaroll must own its state directory" {
		t.Errorf("got %v", err)
	}
}

// mount gives the test a file system of its own.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted here (%v); run the tests as root", err)
	}
	t.Cleanup(func() { ok(t, unix.Unmount(dir, 0)) })
	return dir
}

const crashEnv = "CERTWATCH_TEST_STASH"

// TestStashCrash kills a process that puts and removes pairs, as kill -9 does, at
// moments that nobody chose: whatever is listed afterwards is whole, and the
// stash goes on working.
func TestStashCrash(t *testing.T) {
	if dir := os.Getenv(crashEnv); dir != "" {
		churn(t, Stash{Dir: dir})
	}
	s := Stash{Dir: filepath.Join(t.TempDir(), "stash")}
	mkdir(t, s.Dir)
	unfinishedSeen := 0
	for i := range 25 {
		child := exec.Command(os.Args[0], "-test.run=^TestStashCrash$")
		child.Env = append(os.Environ(), crashEnv+"="+s.Dir)
		out, err := child.StdoutPipe()
		ok(t, err)
		ok(t, child.Start())
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "churning\n" {
			t.Fatalf("child said %q, %v", line, err)
		}
		time.Sleep(time.Duration(i) * 700 * time.Microsecond) // where in its work it dies
		ok(t, child.Process.Kill())
		_ = child.Wait() // killed: always an error

		ids, err := s.List()
		ok(t, err)
		for _, id := range ids {
			if _, err := s.Get(id); err != nil {
				t.Fatalf("half an entry: %v", err)
			}
		}
		removed, err := s.Sweep()
		ok(t, err)
		unfinishedSeen += len(removed)
		left, err := os.ReadDir(s.Dir)
		ok(t, err)
		if len(left) != len(ids) {
			t.Fatalf("after the sweep: %v, want %d entries", left, len(ids))
		}
		_, err = s.Put(pairFor(t, issue(t).leaf))
		ok(t, err)
	}
	if unfinishedSeen == 0 {
		t.Error("no crash left anything unfinished: the test proved nothing")
	}
}

func churn(t *testing.T, s Stash) {
	h := issue(t)
	p, q := pairFor(t, h.leaf), pairFor(t, h.leaf, h.intermediate)
	fmt.Println("churning")
	for {
		for _, each := range []Pair{p, q} {
			_, err := s.Put(each)
			ok(t, err)
		}
		ok(t, s.Remove(p.ID()))
		ok(t, s.Remove(q.ID()))
	}
}
