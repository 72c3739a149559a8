package certwatch

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestKeyringKeepsAKey(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		r := Keyring{Dir: filepath.Join(t.TempDir(), "keys")}
		if _, err := r.Next("mx1"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("before there is one: %v", err)
		}
		old := unix.Umask(umask)
		made, err := r.Make("mx1", EC256)
		unix.Umask(old)
		ok(t, err)
		for path, want := range map[string]fs.FileMode{r.Dir: fs.ModeDir | 0o700, r.Path("mx1"): 0o600} {
			info, err := os.Lstat(path)
			ok(t, err)
			if info.Mode() != want {
				t.Errorf("umask %04o: %s has mode %v, want %v", umask, path, info.Mode(), want)
			}
		}
		for name, get := range map[string]func() (Key, error){
			"next":              func() (Key, error) { return r.Next("mx1") },
			"make":              func() (Key, error) { return r.Make("mx1", EC256) },
			"make another type": func() (Key, error) { return r.Make("mx1", RSA2048) },
		} {
			if got, err := get(); err != nil || !bytes.Equal(got.PEM(), made.PEM()) {
				t.Errorf("%s: another key, or %v", name, err)
			}
		}
		if _, err := r.Next("mx2"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of another lineage: %v", err)
		}
		ok(t, r.Drop("mx1"))
		ok(t, r.Drop("mx1")) // gone already
		assertEmpty(t, r.Dir)
		if next, err := r.Make("mx1", EC256); err != nil || bytes.Equal(next.PEM(), made.PEM()) {
			t.Errorf("the key after the next is the same, or %v", err)
		}
	}
}

// TestKeyringRefuses: a key that cannot be read is neither used nor replaced, and the
// error does not quote it.
func TestKeyringRefuses(t *testing.T) {
	var r Keyring
	path := func() string { return r.Path("mx1") }
	tests := map[string]struct {
		spoil func(key []byte)
		kind  error
	}{
		"open to everybody": {func([]byte) { chmod(t, path(), 0o604) }, ErrExposed},
		"half a key":        {func(key []byte) { write(t, path(), key[:len(key)/2], 0o600) }, ErrDamaged},
		"no key":            {func([]byte) { write(t, path(), []byte("x"), 0o600) }, ErrNoKey},
		"two keys":          {func(key []byte) { write(t, path(), append(key, keyPEM(t, issue(t).leaf)...), 0o600) }, ErrSeveralKeys},
		"a directory":       {func([]byte) { ok(t, os.Remove(path())); mkdir(t, path()) }, ErrNotRegular},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r = Keyring{Dir: filepath.Join(t.TempDir(), "keys")}
			made, err := r.Make("mx1", EC256)
			ok(t, err)
			tt.spoil(bytes.Clone(made.PEM()))
			before, err := stamps(path())
			ok(t, err)
			_, next := r.Next("mx1")
			_, again := r.Make("mx1", EC256)
			for _, err := range []error{next, again} {
				if !errors.Is(err, tt.kind) {
					t.Errorf("got %v, want %v", err, tt.kind)
				}
				checkSilent(t, err, made.PEM())
			}
			if after, err := stamps(path()); err != nil || after[0] != before[0] {
				t.Error("the file was changed")
			}
		})
	}
}

func TestKeyringSweeps(t *testing.T) {
	r := Keyring{Dir: filepath.Join(t.TempDir(), "keys")}
	if removed, err := r.Sweep(); err != nil || removed != nil {
		t.Errorf("without a directory: %v, %v", removed, err)
	}
	_, err := r.Make("mx1", EC256)
	ok(t, err)
	left := write(t, filepath.Join(r.Dir, unfinished+"mx2"), []byte("half a key"), 0o600)
	_, err = r.Make("mx2", EC256) // over what was left
	ok(t, err)
	write(t, left, []byte("half a key"), 0o600)
	removed, err := r.Sweep()
	if err != nil || len(removed) != 1 || removed[0] != left {
		t.Errorf("swept: %v, %v", removed, err)
	}
	for _, lineage := range []string{"mx1", "mx2"} {
		_, err := r.Next(lineage)
		ok(t, err)
	}
}

func TestKeyringNamesNoPaths(t *testing.T) {
	r := Keyring{Dir: filepath.Join(t.TempDir(), "keys")}
	for _, name := range []string{"", ".", "..", ".tmp-mx1", "../mx1", "a/b", "a\x00b"} {
		_, next := r.Next(name)
		_, made := r.Make(name, EC256)
		if next == nil || made == nil || r.Drop(name) == nil {
			t.Errorf("%q was taken", name)
		}
	}
	assertEmpty(t, filepath.Dir(r.Dir))
}

func TestKeyringDiskFull(t *testing.T) {
	r := Keyring{Dir: mount(t, "size=4k,nr_inodes=2")} // the directory and one file
	_, err := r.Make("mx1", EC256)
	ok(t, err)
	_, err = r.Make("mx2", EC256)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want %v", err, unix.ENOSPC)
	}
	if _, err := r.Next("mx1"); err != nil {
		t.Error(err)
	}
	if removed, err := r.Sweep(); err != nil || len(removed) > 0 {
		t.Errorf("left behind: %v, %v", removed, err)
	}
}
