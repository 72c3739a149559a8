package certwatch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Keyring is a directory with the keys that were made before there is a certificate
// for them: one for each lineage, in LINEAGE.pem. The directory has mode 0700, the
// files have 0600. A file appears and goes by one rename, so that it is there as a
// whole or not at all, and is on disk before Make returns.
//
// Like a [Stash], a Keyring needs one process at a time that changes it, and one
// goroutine for each lineage; readers do no harm.
type Keyring struct{ Dir string }

// A KeyringError says what the keyring could not do. It wraps the operating system's
// error or one of this package's sentinels. Nothing is left half done.
type KeyringError struct {
	Op      string // "next", "make", "drop", "sweep"
	Lineage string // empty for a sweep
	Dir     string
	Hint    string
	Err     error
}

func (e *KeyringError) Error() string {
	what := "keys " + e.Dir + ": " + e.Op
	if e.Lineage != "" {
		what += " " + e.Lineage
	}
	if e.Hint == "" {
		return what + ": " + e.Err.Error()
	}
	return what + ": " + e.Err.Error() + " (hint: " + e.Hint + ")"
}

func (e *KeyringError) Unwrap() error { return e.Err }

func (r Keyring) fail(op, lineage string, err error) error {
	return &KeyringError{Op: op, Lineage: lineage, Dir: r.Dir, Hint: diskHint(err), Err: err}
}

// Path is the file of a lineage's key, whether there is one or not.
func (r Keyring) Path(lineage string) string { return filepath.Join(r.Dir, lineage+".pem") }

// Next reads the key that was made for a lineage's next certificate. The error wraps
// fs.ErrNotExist where there is none, and [ErrExposed] where everybody can read it.
func (r Keyring) Next(lineage string) (Key, error) {
	k, err := r.next(lineage)
	if err != nil {
		return Key{}, r.fail("next", lineage, err)
	}
	return k, nil
}

func (r Keyring) next(lineage string) (Key, error) {
	if err := checkLineage(lineage); err != nil {
		return Key{}, err
	}
	if _, err := os.Lstat(r.Path(lineage)); err != nil {
		return Key{}, err // without the hint of a file that somebody else writes
	}
	k, err := Reader{}.LoadKey(r.Path(lineage))
	return k.Key, err
}

// Make makes the key for a lineage's next certificate. One that is there is kept, of
// whatever type it is; one that cannot be read is an error, as its record may stand.
func (r Keyring) Make(lineage string, t KeyType) (Key, error) {
	k, err := r.next(lineage)
	if errors.Is(err, fs.ErrNotExist) {
		if k, err = t.Generate(); err == nil {
			err = r.write(lineage, k)
		}
	}
	if err != nil {
		return Key{}, r.fail("make", lineage, err)
	}
	return k, nil
}

func (r Keyring) write(lineage string, k Key) error {
	if err := Stash(r).create(); err != nil {
		return err
	}
	passing("keys: before one is written")
	temp := filepath.Join(r.Dir, unfinished+lineage)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := writeSynced(temp, k.PEM())
	if err == nil {
		passing("keys: one written, before its rename")
		err = os.Rename(temp, r.Path(lineage))
	}
	if err != nil {
		if left := os.Remove(temp); left != nil && !errors.Is(left, fs.ErrNotExist) {
			return errors.Join(err, left)
		}
		return err
	}
	passing("keys: one renamed")
	return syncDir(r.Dir)
}

// Drop takes a lineage's key out. That there is none is no error.
func (r Keyring) Drop(lineage string) error {
	err := checkLineage(lineage)
	if err == nil {
		passing("keys: before one is dropped")
		err = os.Remove(r.Path(lineage))
	}
	if err == nil {
		passing("keys: one dropped")
		err = syncDir(r.Dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r.fail("drop", lineage, err)
	}
	return nil
}

// Sweep removes what a crash left unfinished and returns the paths. It must not run
// while another process or goroutine is in Make: do it at start, holding the
// journal's lock.
func (r Keyring) Sweep() (removed []string, err error) {
	entries, err := os.ReadDir(r.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, r.fail("sweep", "", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		path := filepath.Join(r.Dir, e.Name())
		if err := os.Remove(path); err != nil {
			return removed, r.fail("sweep", "", err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// checkLineage keeps whatever is no lineage's name from becoming a path.
func checkLineage(name string) error {
	if name == "" || name[0] == '.' || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%.80q is not a lineage: its key would have no file", name)
	}
	return nil
}
