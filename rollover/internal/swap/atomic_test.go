package swap

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoTornRead reads as servers do while two pairs are switched to and fro: one
// combined file, the live symlink's combined file, and the two files of a directory
// that was opened once.
func TestNoTornRead(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	var stop atomic.Bool
	var reads atomic.Int64
	var readers sync.WaitGroup
	read := func(pair func() (cert, key []byte, err error)) {
		readers.Go(func() {
			for !stop.Load() {
				cert, key, err := pair()
				if err != nil {
					t.Errorf("gone: %v", err)
					return
				}
				if _, err := tls.X509KeyPair(cert, key); err != nil {
					t.Errorf("torn: %v", err)
					return
				}
				reads.Add(1)
			}
		})
	}
	for _, path := range []string{w.etc + "/combined.pem", w.Live + "/combined.pem", w.etc + "/mx1/combined.pem"} {
		read(func() (cert, key []byte, err error) {
			both, err := os.ReadFile(path)
			return both, both, err
		})
	}
	for _, dir := range []string{w.etc + "/mx1", w.Live} {
		read(func() (cert, key []byte, err error) {
			root, err := os.OpenRoot(dir)
			if err != nil {
				return nil, nil, err
			}
			defer root.Close()
			if cert, err = root.ReadFile(fullchainFile); err == nil {
				key, err = root.ReadFile(privkeyFile)
			}
			if errors.Is(err, fs.ErrNotExist) {
				both, err := os.ReadFile(w.Live + "/combined.pem")
				return both, both, err // slower than two switches: the directory is gone, not torn
			}
			return cert, key, err
		})
	}
	for range 30 {
		for _, entry := range []string{w.entryB, w.entryA} {
			_, err := w.Switch(t.Context(), entry)
			ok(t, err)
		}
	}
	stop.Store(true)
	readers.Wait()
	if reads.Load() < 200 {
		t.Errorf("only %d reads: the test proved nothing", reads.Load())
	}
}

// TestConversions: what was there by hand becomes ours at the first switch, and
// is kept.
func TestConversions(t *testing.T) {
	w := newWorld(t)
	scenarios["A by hand"](t, w)
	ok(t, os.Mkdir(filepath.Join(w.etc, "mx1.pair-0"), 0o700)) // a name that is taken
	result, err := w.Switch(t.Context(), w.entryB)
	ok(t, err)
	if wrong := w.holds(w.b, w.entryB); wrong != "" {
		t.Error(wrong)
	}
	want := w.etc + "/ca.pem: was a symlink to archive/ca.pem, which is kept as ca.pem.previous (hint: whoever wrote there no longer changes what the server reads)"
	if len(result.Warnings) != 1 || result.Warnings[0].Text != want {
		t.Errorf("warnings %v, want\n %s", result.Warnings, want)
	}
	for _, name := range []string{"combined.pem", "ca.pem", "mx1"} {
		if whose := w.which(t, filepath.Join(w.etc, name+previous)); whose != "A" {
			t.Errorf("%s.previous holds %s, want A", name, whose)
		}
	}
	for range 2 { // what was converted goes the way of all old ones
		for _, entry := range []string{w.entryA, w.entryB} {
			_, err = w.Switch(t.Context(), entry)
			ok(t, err)
		}
	}
	checkStrays(t, w, "the conversion")
}

// TestForeignSymlink: a directory that was a symlink to somewhere else.
func TestForeignSymlink(t *testing.T) {
	w := newWorld(t)
	elsewhere := stash(t, w.etc, "elsewhere", w.a)
	ok(t, os.Symlink(elsewhere, w.etc+"/mx1"))
	result, err := w.Switch(t.Context(), w.entryB)
	ok(t, err)
	if wrong := w.holds(w.b, w.entryB); wrong != "" {
		t.Error(wrong)
	}
	want := w.etc + "/mx1: was a symlink to " + elsewhere + ", which is kept as mx1.previous (hint: whoever wrote there no longer changes what the server reads)"
	if len(result.Warnings) != 1 || result.Warnings[0].Text != want {
		t.Errorf("warnings %v, want\n %s", result.Warnings, want)
	}
	if whose := w.which(t, w.etc+"/mx1.previous"); whose != "A" {
		t.Errorf("mx1.previous holds %s, want A", whose)
	}
	_, err = w.Switch(t.Context(), w.entryA)
	ok(t, err)
	if whose := w.which(t, elsewhere); whose != "A" {
		t.Errorf("what is not ours was touched: %s holds %s", elsewhere, whose)
	}
}

// TestLeftovers: what a crash inside a rename leaves is cleared up, what only
// looks similar is not.
func TestLeftovers(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	ours := []string{".combined.pem1234567890123456789", ".combined.pem.previous", ".mx1.link", ".mx1.previous.link", "mx1.pair-5/privkey.pem", "mx1.pair-6/"}
	foreign := []string{".combined.pem12", ".combined.pem.swp", ".mx177/tmp.symlink", ".combined.pem12345678901234567890", "mx1.pair-x/privkey.pem", "mx1.pair-7/dh.pem", "mx1.pair-8-old/privkey.pem"}
	for _, name := range append(ours, foreign...) {
		if filepath.Base(name) == name || name[len(name)-1] != '/' {
			write(t, filepath.Join(w.etc, name), []byte("x"), 0o600)
			continue
		}
		ok(t, os.Mkdir(filepath.Join(w.etc, name), 0o700))
	}
	write(t, w.state+"/live/.mx1.link", nil, 0o600)
	result, err := w.Switch(t.Context(), w.entryB)
	ok(t, err)
	for _, name := range ours {
		if _, err := os.Lstat(filepath.Join(w.etc, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range foreign {
		if _, err := os.Lstat(filepath.Join(w.etc, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
	if _, err := os.Lstat(w.state + "/live/.mx1.link"); err == nil {
		t.Error("the temporary symlink beside the live symlink is still there")
	}
	want := w.etc + "/mx1.pair-7: an old copy of a pair that could not be removed (hint: is something else in it? remove it by hand)"
	if len(result.Warnings) != 1 || result.Warnings[0].Text != want {
		t.Errorf("warnings %v, want\n %s", result.Warnings, want)
	}
}

// TestKeepCopies: where the old file cannot be linked (vfat; a file of somebody
// else's) its copy is as good.
func TestKeepCopies(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir+"/combined.pem", []byte("old"), 0o640)
	ok(t, duplicate(path, dir+"/copy"))
	if mode := modeOf(t, dir+"/copy"); mode != 0o640 {
		t.Errorf("copy has mode %04o", mode)
	}
	if got, err := os.ReadFile(dir + "/copy"); err != nil || string(got) != "old" {
		t.Errorf("copy holds %q, %v", got, err)
	}
	ok(t, os.Symlink("somewhere", dir+"/link"))
	ok(t, duplicate(dir+"/link", dir+"/link2"))
	if target, err := os.Readlink(dir + "/link2"); err != nil || target != "somewhere" {
		t.Errorf("copied link says %q, %v", target, err)
	}

	// A kept file that is in use under another name keeps its mode.
	ok(t, os.Link(path, path+previous))
	ok(t, closeToOthers(path+previous))
	if mode := modeOf(t, path); mode != 0o640 {
		t.Errorf("the file in use has mode %04o now", mode)
	}
	ok(t, os.Remove(path))
	ok(t, closeToOthers(path+previous))
	if mode := modeOf(t, path+previous); mode != 0o600 {
		t.Errorf("the kept file has mode %04o", mode)
	}
}

// TestLinkInTheWay: whoever may write where a directory is installed has nothing elsewhere
// written, opened or given to the server's user.
func TestLinkInTheWay(t *testing.T) {
	w := newWorld(t)
	elsewhere := filepath.Join(w.state, "elsewhere")
	ok(t, os.Mkdir(elsewhere, 0o700))
	another := write(t, filepath.Join(elsewhere, "privkey.pem"), []byte("another's"), 0o600)
	w.step = func(op operation, path string) error {
		if op != opWrite || !strings.Contains(path, generation) {
			return nil
		}
		return errors.Join(os.Rename(path, path+".away"), os.Symlink(elsewhere, path))
	}
	_, err := w.Switch(t.Context(), w.entryA)
	if !errors.Is(err, ErrTarget) || !strings.Contains(err.Error(), "not the directory that was made a moment ago") {
		t.Error(err)
	}
	if found, err := os.ReadDir(elsewhere); len(found) != 1 || err != nil || modeOf(t, elsewhere).Perm() != 0o700 {
		t.Errorf("%v, %v: %v", found, modeOf(t, elsewhere), err)
	}
	if content, err := os.ReadFile(another); string(content) != "another's" || err != nil {
		t.Error(string(content), err)
	}
}

func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can give files away; run the tests as root, too")
	}
	w := newWorld(t)
	for i := range w.Install {
		w.Install[i].Owner = "1234:4321"
	}
	w.Install[0].Owner = "nobody"
	w.Install[1].Owner = ":4321"
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	sibling, err := os.Readlink(w.etc + "/mx1")
	ok(t, err)
	for path, want := range map[string][2]uint32{
		"combined.pem": {65534, 0}, "leaf.pem": {0, 4321}, "ca.pem": {1234, 4321},
		sibling: {1234, 4321}, "mx1/privkey.pem": {1234, 4321}, "mx1/combined.pem": {1234, 4321},
	} {
		var st unix.Stat_t
		ok(t, unix.Lstat(filepath.Join(w.etc, path), &st))
		if st.Uid != want[0] || st.Gid != want[1] {
			t.Errorf("%s belongs to %d:%d, want %v", path, st.Uid, st.Gid, want)
		}
	}
	// A wrong owner is mended.
	ok(t, os.Chown(w.etc+"/ca.pem", 0, 0))
	ok(t, os.Chown(w.etc+"/mx1/privkey.pem", 0, 0))
	result, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	if len(result.Changed) != 2 {
		t.Errorf("changed %v, want ca.pem and mx1", result.Changed)
	}
}
