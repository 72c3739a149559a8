package certwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Put copies a pair into the stash and returns the directory of its entry. A
// pair that is there already is left alone; an entry that is there but does not
// check (somebody changed it) is replaced.
func (s Stash) Put(p Pair) (dir string, err error) {
	id := p.ID()
	if err := s.put(id, p); err != nil {
		return "", s.fail("put", id, err)
	}
	return s.Path(id), nil
}

func (s Stash) put(id tlsa.ChainID, p Pair) error {
	if _, err := s.get(id); err == nil {
		return nil
	}
	if err := s.create(); err != nil {
		return err
	}
	passing("stash: before an entry is made")
	temp, err := os.MkdirTemp(s.Dir, unfinished)
	if err != nil {
		return err
	}
	err = s.fill(temp, p)
	if err == nil {
		// What is there did not check; a moment without it harms nobody.
		err = s.discard(id)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		passing("stash: entry written, before its rename")
		err = os.Rename(temp, s.Path(id))
	}
	if err != nil {
		return first(err, os.RemoveAll(temp))
	}
	passing("stash: entry renamed")
	return syncDir(s.Dir)
}

// create makes the stash's directory, durably.
func (s Stash) create() error {
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.Dir))
}

// fill writes the files of an entry and syncs them and their directory.
func (s Stash) fill(dir string, p Pair) error {
	chain, private := p.ChainPEM(), p.Key.PEM()
	for name, content := range map[string][]byte{
		FullchainFile: chain,
		PrivkeyFile:   private,
		CombinedFile:  slices.Concat(private, chain),
	} {
		if err := writeSynced(filepath.Join(dir, name), content); err != nil {
			return err
		}
		passing("stash: entry half written")
	}
	// The umask may have taken from the mode.
	return first(os.Chmod(dir, 0o700), syncDir(dir))
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return first(err, f.Chmod(0o600), f.Sync(), f.Close())
}

// Remove takes an entry out. One that is not there is no error.
func (s Stash) Remove(id tlsa.ChainID) error {
	if err := checkID(id); err != nil {
		return s.fail("remove", id, err)
	}
	if err := s.discard(id); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.fail("remove", id, err)
	}
	return nil
}

// discard renames an entry first, so that a crash leaves no half of it.
func (s Stash) discard(id tlsa.ChainID) error {
	away := filepath.Join(s.Dir, unfinished+"removed-"+string(id))
	if err := os.RemoveAll(away); err != nil {
		return err
	}
	passing("stash: before an entry is renamed away")
	if err := os.Rename(s.Path(id), away); err != nil {
		return err
	}
	passing("stash: entry renamed away")
	err := first(syncDir(s.Dir), os.RemoveAll(away))
	passing("stash: entry removed")
	return err
}

// Sweep removes what a crash left unfinished and returns the paths. It must not
// run while another process or goroutine is in Put or Remove: do it at start,
// holding the journal's lock.
func (s Stash) Sweep() (removed []string, err error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.fail("sweep", "", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		path := filepath.Join(s.Dir, e.Name())
		if err := os.RemoveAll(path); err != nil {
			return removed, s.fail("sweep", "", err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return first(d.Sync(), d.Close())
}

// first is the first error there is. The others follow from it.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// diskHint says what to do about the usual troubles of a file system.
func diskHint(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "make room; nothing was changed"
	case errors.Is(err, unix.EROFS):
		return "is it mounted read-only, or missing from the unit's ReadWritePaths=?"
	case errors.Is(err, fs.ErrPermission):
		return "tlsaroll must own its state directory"
	}
	return ""
}
