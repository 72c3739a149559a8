package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// schema is the version of what stands in the file. A newer one is refused.
const schema = 1

// Errors that callers tell apart.
var (
	// ErrLocked says that another instance has the journal open.
	ErrLocked = errors.New("in use by another tlsaroll")
	// ErrNewer says that a newer program wrote the journal.
	ErrNewer = errors.New("written by a newer tlsaroll")
	// ErrCorrupt says that the file is no journal any more.
	ErrCorrupt = errors.New("corrupt")
)

var (
	bucketMeta     = []byte("meta")
	bucketLineages = []byte("lineages")
	bucketOwners   = []byte("owners")
	bucketChains   = []byte("chains")
)

// Stamp says when the journal was last written, by which clocks.
type Stamp struct {
	BootID string        `json:"boot_id"` // of the kernel that ran then
	Boot   time.Duration `json:"boot"`    // time since that boot
	Wall   time.Time     `json:"wall"`    // wall clock
	Time   time.Time     `json:"time"`    // the program's own time
}

// Journal is an open file. It is safe for concurrent use.
type Journal struct {
	path string
	db   *bbolt.DB

	mu     sync.Mutex
	stored map[string]string // what stands in the file, by bucket and key, to write only what changed
}

// Open opens the journal for writing, making it where there is none. It waits
// for its lock no longer than the timeout. A corrupt file is moved aside: the
// second result is then its new name, and the journal is empty.
func Open(path string, timeout time.Duration) (*Journal, string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, "", fmt.Errorf("journal %s: %w", path, err)
	}
	j, err := open(path, timeout, false)
	if !errors.Is(err, ErrCorrupt) {
		return j, "", err
	}
	aside, asideErr := moveAside(path)
	if asideErr != nil {
		return nil, "", errors.Join(err, asideErr)
	}
	j, err = open(path, timeout, false)
	return j, aside, err
}

// Read opens the journal for reading only. It fails with [ErrLocked] while a
// writer has it, and with [fs.ErrNotExist] where there is none.
func Read(path string, timeout time.Duration) (*Journal, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return open(path, timeout, true)
}

func open(path string, timeout time.Duration, readOnly bool) (j *Journal, err error) {
	defer func() {
		// bbolt panics on some damaged pages instead of returning an error
		if p := recover(); p != nil {
			j, err = nil, fmt.Errorf("journal %s: %w: %v", path, ErrCorrupt, p)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: timeout, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("journal %s: %w (hint: stop it, or ask it over its control socket)", path, ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return nil, fmt.Errorf("journal %s: %w: %w", path, ErrCorrupt, err)
	case err != nil && !errors.Is(err, fs.ErrPermission) && tooShort(path):
		return nil, fmt.Errorf("journal %s: %w: %w", path, ErrCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	j = &Journal{path: path, db: db, stored: map[string]string{}}
	if err := j.prepare(readOnly); err != nil {
		_ = db.Close() // the error that counts is the first
		return nil, err
	}
	return j, nil
}

// tooShort reports whether the file cannot hold bbolt's two meta pages.
func tooShort(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0 && info.Size() < 4*4096
}

// prepare checks the schema, writes it into a new file, and reads everything once.
func (j *Journal) prepare(readOnly bool) error {
	check := func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil
		}
		found, err := strconv.Atoi(string(meta.Get([]byte("schema"))))
		if err != nil {
			return fmt.Errorf("journal %s: %w: no schema version", j.path, ErrCorrupt)
		}
		if found > schema {
			return fmt.Errorf("journal %s: %w: schema %d, this program knows %d (hint: run the newer program, or move the file away and every wait starts again)", j.path, ErrNewer, found, schema)
		}
		return nil
	}
	if err := j.db.View(check); err != nil {
		return err
	}
	if !readOnly {
		err := j.db.Update(func(tx *bbolt.Tx) error {
			for _, name := range [][]byte{bucketMeta, bucketLineages, bucketOwners, bucketChains} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return tx.Bucket(bucketMeta).Put([]byte("schema"), []byte(strconv.Itoa(schema)))
		})
		if err != nil {
			return fmt.Errorf("journal %s: %w", j.path, err)
		}
	}
	_, _, err := j.Load(nil)
	return err
}

func moveAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.corrupt-%d", path, n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(path, aside)
		} else if err != nil {
			return "", err
		}
	}
}

// Close releases the lock.
func (j *Journal) Close() error { return j.db.Close() }

// ownerEntry is a ledger as it is stored: with the lineages that it belongs to,
// as unlisted owners belong to lineages that have no endpoint there.
type ownerEntry struct {
	Lineages []string        `json:"lineages"`
	Ledger   rollover.Ledger `json:"ledger"`
}

// Load reads what is known of some lineages, of all where which is nil, and when
// it was written last.
func (j *Journal) Load(which func(lineage string) bool) (s rollover.State, stamp Stamp, err error) {
	s = rollover.State{Lineages: map[string]rollover.Lineage{}, Owners: map[tlsa.Owner]rollover.Ledger{}, Chains: map[tlsa.ChainID]*tlsa.Chain{}}
	err = j.db.View(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta == nil {
			return nil
		} else if b := meta.Get([]byte("stamp")); b != nil {
			if err := json.Unmarshal(b, &stamp); err != nil {
				return err
			}
		}
		err := each(tx, bucketLineages, func(name string, l rollover.Lineage) {
			if which == nil || which(name) {
				s.Lineages[name] = l
			}
		})
		if err != nil {
			return err
		}
		err = each(tx, bucketOwners, func(name string, e ownerEntry) {
			if which == nil || slices.ContainsFunc(e.Lineages, which) {
				s.Owners[tlsa.Owner(name)] = e.Ledger
			}
		})
		if err != nil {
			return err
		}
		return each(tx, bucketChains, func(id string, c *tlsa.Chain) {
			if which == nil || s.Names(tlsa.ChainID(id)) {
				s.Chains[tlsa.ChainID(id)] = c
			}
		})
	})
	if err != nil {
		return s, stamp, fmt.Errorf("journal %s: %w: %w", j.path, ErrCorrupt, err)
	}
	return s, stamp, nil
}

func each[T any](tx *bbolt.Tx, bucket []byte, take func(key string, value T)) error {
	b := tx.Bucket(bucket)
	if b == nil {
		return nil
	}
	return b.ForEach(func(k, v []byte) error {
		var value T
		if err := json.Unmarshal(v, &value); err != nil {
			return fmt.Errorf("%s %q: %w", bucket, k, err)
		}
		take(string(k), value)
		return nil
	})
}

// Save makes a group's state durable: it returns when the file is synced. Chains
// stay until [Journal.Forget], as another group may name them.
func (j *Journal) Save(s rollover.State, stamp Stamp) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	lineages := slices.Sorted(maps.Keys(s.Lineages))
	puts, err := j.changes(s, lineages, stamp)
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	err = j.db.Update(func(tx *bbolt.Tx) error {
		for _, p := range puts {
			if err := tx.Bucket(p.bucket).Put(p.key, p.value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	for _, p := range puts {
		j.stored[p.name()] = string(p.value)
	}
	return nil
}

type put struct{ bucket, key, value []byte }

func (p put) name() string { return string(p.bucket) + "/" + string(p.key) }

// changes are the entries that differ from what stands in the file.
func (j *Journal) changes(s rollover.State, lineages []string, stamp Stamp) ([]put, error) {
	var puts []put
	add := func(bucket []byte, key string, value any) error {
		b, err := json.Marshal(value)
		if p := (put{bucket, []byte(key), b}); err == nil && j.stored[p.name()] != string(b) {
			puts = append(puts, p)
		}
		return err
	}
	err := add(bucketMeta, "stamp", stamp)
	for name, l := range s.Lineages {
		err = errors.Join(err, add(bucketLineages, name, l))
	}
	for name, l := range s.Owners {
		err = errors.Join(err, add(bucketOwners, string(name), ownerEntry{lineages, l}))
	}
	for id, c := range s.Chains {
		if _, ok := j.stored[string(bucketChains)+"/"+string(id)]; !ok { // a chain never changes
			err = errors.Join(err, add(bucketChains, string(id), c))
		}
	}
	return puts, err
}

// Forget drops chains that no lineage's entry and no ledger names any more, and
// gives back those that it dropped.
func (j *Journal) Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	all, _, err := j.Load(nil)
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(slices.Clone(ids), all.Names)
	err = j.db.Update(func(tx *bbolt.Tx) error {
		for _, id := range gone {
			if err := tx.Bucket(bucketChains).Delete([]byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", j.path, err)
	}
	for _, id := range gone {
		delete(j.stored, string(bucketChains)+"/"+string(id))
	}
	return gone, nil
}
