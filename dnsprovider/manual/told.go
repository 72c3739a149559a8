package manual

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	// urgentAgain is how long after it was told something urgent is told again; the rest
	// is after seldomAgain.
	urgentAgain = 24 * time.Hour
	seldomAgain = 7 * 24 * time.Hour
	// stale is when what was told is forgotten: nobody has asked for it for a week.
	stale = 2 * seldomAgain
)

// told is what the person was told of, by owner name, until it is seen to be done.
type told struct {
	file string // "": kept in memory alone

	mu     sync.Mutex
	read   bool
	unkept bool // it could not be written
	of     map[tlsa.Owner][]entry
}

// entry is one change that was told.
type entry struct {
	Add    []tlsa.Association `json:"add,omitempty"`
	Remove []tlsa.Association `json:"remove,omitempty"`
	TTL    time.Duration      `json:"ttl,omitempty"` // where it is a change of that alone
	At     time.Time          `json:"at"`            // when it was told last
}

func entryOf(c dnsprovider.Change) entry {
	e := entry{Add: c.Add(), Remove: c.Remove()}
	if c.TTLOnly() {
		e.TTL = c.After.TTL
	}
	return e
}

// same reports whether both are the same change.
func (e entry) same(f entry) bool {
	return e.TTL == f.TTL && slices.Equal(e.Add, f.Add) && slices.Equal(e.Remove, f.Remove)
}

// done reports whether the change is made where found stands.
func (e entry) done(found tlsa.RRset) bool {
	if e.TTL != 0 {
		return found.TTL == e.TTL
	}
	return len(found.Missing(e.Add...)) == 0 && !slices.ContainsFunc(e.Remove, found.Has)
}

// again is how long after it was told the change is told again.
func (e entry) again() time.Duration {
	if len(e.Add) > 0 {
		return urgentAgain
	}
	return seldomAgain
}

// contents are the file's.
type contents struct {
	Version int                    `json:"version"`
	Told    map[tlsa.Owner][]entry `json:"told"`
}

const (
	fileVersion = 1
	maxFile     = 1 << 20 // beyond any file of ours
)

// load reads the file, once; the caller has the lock. What cannot be read is told again.
func (t *told) load() error {
	if t.read {
		return nil
	}
	t.read, t.of = true, map[tlsa.Owner][]entry{}
	if t.file == "" {
		return nil
	}
	info, err := os.Stat(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s: %d octets", t.file, info.Size())
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(t.file)
	if err != nil {
		return err
	}
	var c contents
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("%s: %w", t.file, err)
	}
	if c.Version != fileVersion {
		return fmt.Errorf("%s: version %d", t.file, c.Version)
	}
	if c.Told != nil {
		t.of = c.Told
	}
	return nil
}

// find is the entry of a change at an owner name, -1 if there is none.
func (t *told) find(owner tlsa.Owner, e entry) int {
	return slices.IndexFunc(t.of[owner], e.same)
}

// due reports whether a change is to be told now, and whether it was told before.
func (t *told) due(owner tlsa.Owner, e entry, now time.Time) (due, reminder bool) {
	i := t.find(owner, e)
	if i < 0 {
		return true, false
	}
	if at := &t.of[owner][i].At; at.After(now) {
		*at = now // by a clock that has been put back since
	}
	return now.Sub(t.of[owner][i].At) >= e.again(), true
}

// set notes that a change was told.
func (t *told) set(owner tlsa.Owner, e entry, now time.Time) {
	e.At = now.UTC()
	if i := t.find(owner, e); i >= 0 {
		t.of[owner][i] = e
		return
	}
	t.of[owner] = append(t.of[owner], e)
}

// prune drops what is done where found stands, and what is stale, and reports whether there
// was any. Whoever takes a record out again later is told of it again.
func (t *told) prune(owner tlsa.Owner, found tlsa.RRset, now time.Time) bool {
	before := len(t.of[owner])
	left := slices.DeleteFunc(t.of[owner], func(e entry) bool { return e.done(found) || now.Sub(e.At) >= stale })
	if t.of[owner] = left; len(left) == 0 {
		delete(t.of, owner)
	}
	return len(left) < before
}

// store writes the file.
func (t *told) store() error {
	if t.file == "" {
		return nil
	}
	text, err := json.Marshal(contents{fileVersion, t.of})
	if err != nil {
		return err
	}
	return renameio.WriteFile(t.file, append(text, '\n'), 0o600)
}
