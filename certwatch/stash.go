package certwatch

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The files of an entry of the stash. Postfix wants the key first in a combined
// file (postconf(5), smtpd_tls_chain_files).
const (
	FullchainFile = "fullchain.pem"
	PrivkeyFile   = "privkey.pem"
	CombinedFile  = "combined.pem"
)

// unfinished begins the name of what is not, or no longer, an entry.
const unfinished = ".tmp-"

// A Stash is a directory with our own copies of pairs. An entry is a directory
// named by the pair's ID, mode 0700, and holds the three files, mode 0600. It
// appears and goes by one rename, so that it is there as a whole or not at all,
// and is on disk before Put returns.
//
// A Stash needs one process at a time that changes it; readers do no harm.
type Stash struct{ Dir string }

// A StashError says what the stash could not do. It wraps the operating system's
// error or one of this package's sentinels. Nothing is left half done.
type StashError struct {
	Op   string       // "put", "get", "remove", "list", "sweep"
	ID   tlsa.ChainID // may be empty
	Dir  string
	Hint string
	Err  error
}

func (e *StashError) Error() string {
	what := "stash " + e.Dir + ": " + e.Op
	if e.ID != "" {
		what += " " + e.ID.Short()
	}
	if e.Hint == "" {
		return what + ": " + e.Err.Error()
	}
	return what + ": " + e.Err.Error() + " (hint: " + e.Hint + ")"
}

func (e *StashError) Unwrap() error { return e.Err }

func (s Stash) fail(op string, id tlsa.ChainID, err error) error {
	return &StashError{Op: op, ID: id, Dir: s.Dir, Hint: diskHint(err), Err: err}
}

// Path is the directory of an entry, whether there is one or not.
func (s Stash) Path(id tlsa.ChainID) string { return filepath.Join(s.Dir, string(id)) }

// Get reads an entry and checks it anew: the key fits, the chain is the one that
// its name says, the combined file holds the same pair. The error wraps
// fs.ErrNotExist where there is no such entry.
func (s Stash) Get(id tlsa.ChainID) (Pair, error) {
	p, err := s.get(id)
	if err != nil {
		return Pair{}, s.fail("get", id, err)
	}
	return p, nil
}

func (s Stash) get(id tlsa.ChainID) (Pair, error) {
	if err := checkID(id); err != nil {
		return Pair{}, err
	}
	dir := s.Path(id)
	if _, err := os.Lstat(dir); err != nil {
		return Pair{}, err
	}
	p, err := s.read(id, Files{Cert: filepath.Join(dir, FullchainFile), Key: filepath.Join(dir, PrivkeyFile)})
	if err != nil {
		return Pair{}, err
	}
	both := filepath.Join(dir, CombinedFile)
	combined, err := s.read(id, Files{Cert: both})
	if err != nil {
		return Pair{}, err
	}
	if !bytes.Equal(combined.Key.PEM(), p.Key.PEM()) {
		return Pair{}, &Error{both, "holds the key in another form than " + PrivkeyFile, changedHint, ErrDamaged}
	}
	return p, nil
}

const changedHint = "somebody changed the entry; stage the pair again"

// read reads a pair that must be the one of the ID, in its order.
func (s Stash) read(id tlsa.ChainID, f Files) (Pair, error) {
	p, err := Load(f)
	var e *Error
	switch {
	case errors.As(err, &e) && errors.Is(err, fs.ErrNotExist):
		return Pair{}, &Error{e.Where, e.Problem, changedHint, ErrDamaged}
	case err != nil:
		return Pair{}, err
	}
	if got := p.AsFound.ID(); got != id {
		return Pair{}, &Error{f.Cert, "holds the chain " + got.Short(), changedHint, ErrDamaged}
	}
	p.Chain = p.AsFound // what was installed and published, whatever the rules of order become
	return p, nil
}

// List returns the IDs of all entries, sorted. A stash that does not exist is empty.
func (s Stash) List() ([]tlsa.ChainID, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.fail("list", "", err)
	}
	var ids []tlsa.ChainID
	for _, e := range entries {
		if id := tlsa.ChainID(e.Name()); e.IsDir() && checkID(id) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// checkID keeps whatever is no ID from becoming a path.
func checkID(id tlsa.ChainID) error {
	if raw, err := hex.DecodeString(string(id)); err != nil || len(raw) != 32 || strings.ToLower(string(id)) != string(id) {
		return fmt.Errorf("%.80q is not a chain id: want 64 lower-case hex digits", string(id))
	}
	return nil
}
