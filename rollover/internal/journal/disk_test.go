package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// mount gives the test a file system of its own.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, strings.Trim(options+",mode=700", ",")); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted here (%v); run the tests as root", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull fills a small file system for real: what was saved before stands,
// the failure is said, and when there is room again it goes on.
func TestDiskFull(t *testing.T) {
	dir := mount(t, "size=512k")
	path := filepath.Join(dir, "journal.db")
	j, _ := mustOpen(t, path)
	t.Cleanup(func() { _ = j.Close() }) // before the unmount
	g := groupOf(t, "mx1")
	mustSave(t, j, g, 0)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the file system is not full: %v", err)
	}

	var saved []Group
	var err error
	for i := range 100 {
		next := groupOf(t, fmt.Sprintf("lots%d", i))
		if err = j.Save(next, stampAt(time.Hour)); err != nil {
			break
		}
		saved = append(saved, next)
	}
	want := "journal " + path + ": write " + path + ": no space left on device (hint: make room; what was saved before stands)"
	if !errors.Is(err, unix.ENOSPC) || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
	c := mustLoad(t, j)
	for _, s := range append(saved, g) {
		expect(t, "with the disk full", s, c)
	}
	l := g.State.Lineages["mx1"]
	l.Phase = rollover.Ready
	g.State.Lineages["mx1"] = l
	if err := j.Save(g, stampAt(2*time.Hour)); err == nil { // there may be room for so little
		saved = append(saved, g)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	mustSave(t, j, g, 3*time.Hour)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, c = mustOpen(t, path)
	for _, s := range append(saved, g) {
		expect(t, "with room again", s, c)
	}
	if got := c.Stamp; got != stampAt(3*time.Hour) {
		t.Errorf("stamp %v", got)
	}
}

// TestSaveAfterAFailure: what stands in the file after a failed save need not be
// on the disk; the next save writes although nothing differs.
func TestSaveAfterAFailure(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	g := groupOf(t, "mx1")
	mustSave(t, j, g, 0)
	if err := j.commit(func(*bbolt.Tx) error { return unix.EIO }); !errors.Is(err, unix.EIO) {
		t.Fatal(err)
	}
	mustSave(t, j, g, time.Minute)
	if got := mustLoad(t, j).Stamp; got != stampAt(time.Minute) {
		t.Errorf("nothing was written: stamp %v", got)
	}
	mustSave(t, j, g, 2*time.Minute)
	if got := mustLoad(t, j).Stamp; got != stampAt(time.Minute) {
		t.Errorf("the doubt stays: stamp %v", got)
	}
}

// TestEverySaveIsSynced: a process that is killed cannot show what a host that
// loses its power does, as the page cache survives the one and not the other.
func TestEverySaveIsSynced(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	if j.db.NoSync || j.db.NoGrowSync {
		t.Errorf("bbolt leaves syncs out: NoSync %t, NoGrowSync %t", j.db.NoSync, j.db.NoGrowSync)
	}
}

func TestReadOnly(t *testing.T) {
	dir := mount(t, "")
	path := filepath.Join(dir, "journal.db")
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	mustSave(t, j, g, 0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	const hint = "read-only file system (hint: is it mounted read-only, or missing from the unit's ReadWritePaths=?)"
	for p, want := range map[string]string{
		path:                      "journal " + path + ": " + hint,
		dir + "/state/journal.db": "journal " + dir + "/state/journal.db: " + hint,
	} {
		if _, _, _, err := Open(p, time.Second); !errors.Is(err, unix.EROFS) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	c, err := Read(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "looking at a file system that is read-only", g, c)
}

func TestNotOurs(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("as root; a child does this as nobody")
		asNobody(t, "TestNotOurs")
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	path := filepath.Join(dir, "journal.db")
	want := "journal " + path + ": permission denied (hint: tlsaroll must own its state directory)"
	if _, _, _, err := Open(path, time.Second); !errors.Is(err, fs.ErrPermission) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// asNobody runs one test of this binary without root's powers.
func asNobody(t *testing.T, test string) {
	t.Helper()
	const nobody = 65534
	dir := t.TempDir()
	for d := dir; d != filepath.Dir(os.TempDir()) && d != "/tmp" && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(binary, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(binary, "-test.run=^"+test+"$", "-test.v")
	child.Dir, child.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+test) {
		t.Errorf("%v\n%s", err, out)
	}
}

const crashEnv = "JOURNAL_TEST_CRASH"

// TestCrash kills a process that saves one state after the other, as kill -9
// does, at moments that nobody chose: the last state of which it said that it was
// saved, or the one it was saving then, is there, whole.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashEnv); path != "" {
		churn(t, path)
	}
	path := pathIn(t)
	for i := range 20 {
		child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
		child.Env = append(os.Environ(), crashEnv+"="+path)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		last := -1
		kill := 5 + 3*i
		for lines.Scan() {
			if _, err := fmt.Sscanf(lines.Text(), "saved %d", &last); err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
			if kill--; kill == 0 {
				// not at once: somewhere in the next save
				time.AfterFunc(time.Duration(i)*150*time.Microsecond, func() { _ = child.Process.Kill() })
			}
		}
		_ = child.Wait() // killed: always an error
		j, c := mustOpen(t, path)
		var found int
		if _, err := fmt.Sscanf(c.Lineages["mx1"].Swapping.Why, "save %d", &found); err != nil {
			t.Fatal(err)
		}
		if found != last && found != last+1 {
			t.Fatalf("it said that %d was saved, the journal holds %d", last, found)
		}
		for _, l := range c.Ledgers {
			if want := fmt.Sprintf("save %d", found); l.Ledger.Text != want {
				t.Fatalf("half a state: the lineage is of save %d, the ledger says %q", found, l.Ledger.Text)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func churn(t *testing.T, path string) {
	j, c := mustOpen(t, path)
	g := groupOf(t, "mx1")
	from := 0
	if l, known := c.Lineages["mx1"]; known {
		if _, err := fmt.Sscanf(l.Swapping.Why, "save %d", &from); err != nil {
			t.Fatal(err)
		}
	}
	for n := from + 1; ; n++ {
		text := fmt.Sprintf("save %d", n)
		l := g.State.Lineages["mx1"]
		swapping := *l.Swapping
		swapping.Why = text
		l.Swapping = &swapping
		g.State.Lineages["mx1"] = l
		for owner, ledger := range g.State.Owners {
			ledger.Text = text
			g.State.Owners[owner] = ledger
		}
		mustSave(t, j, g, time.Duration(n))
		fmt.Println("saved", n)
	}
}

// TestGone: what is saved into a file that nobody will find again is not saved.
func TestGone(t *testing.T) {
	for name, away := range map[string]func(path string) error{
		"removed":   os.Remove,
		"renamed":   func(path string) error { return os.Rename(path, path+".old") },
		"directory": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := pathIn(t)
			j, _ := mustOpen(t, path)
			g := groupOf(t, "mx1")
			mustSave(t, j, g, time.Minute)
			if err := away(path); err != nil {
				t.Fatal(err)
			}
			_, forget := j.Forget([]tlsa.ChainID{idOf(9)})
			for what, err := range map[string]error{
				"save":               j.Save(groupOf(t, "mx2"), stampAt(time.Hour)),
				"save what is saved": j.Save(g, stampAt(time.Hour)),
				"offer":              j.Offer("mx1", []rollover.Offer{{Chain: idOf(1)}}),
				"forget":             forget,
			} {
				if !errors.Is(err, ErrGone) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// TestOpenToEveryone: a journal in a directory that everyone may write to is not used.
func TestOpenToEveryone(t *testing.T) {
	path := pathIn(t)
	dir := filepath.Dir(path)
	for mode, open := range map[fs.FileMode]bool{0o700: false, 0o750: false, 0o755: false, 0o770: false, 0o777: true, 0o702: true, 0o777 | fs.ModeSticky: true} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
		j, _, _, err := Open(path, time.Second)
		if want := fmt.Sprintf("journal %s: its directory is open to everyone, mode %04o (hint: chmod 700 %s, and look whose files are in it)", path, mode.Perm(), dir); open && (!errors.Is(err, ErrExposed) || err.Error() != want) {
			t.Errorf("%v: %v\nwant %s", mode, err, want)
		} else if !open && err != nil {
			t.Errorf("%v: %v", mode, err)
		}
		if err == nil {
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
