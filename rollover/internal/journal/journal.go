package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Errors that callers tell apart.
var (
	// ErrLocked says that another instance has the journal open.
	ErrLocked = errors.New("in use by another tlsaroll")
	// ErrNewer says that a newer program wrote the journal.
	ErrNewer = errors.New("written by a newer tlsaroll")
	// ErrGone says that the file was removed or replaced while it was open.
	ErrGone = errors.New("gone while it was in use")
	// ErrCorrupt says that the file is no journal any more.
	ErrCorrupt = errors.New("corrupt")
	// ErrExposed says that everyone may write to the file's directory.
	ErrExposed = errors.New("its directory is open to everyone")
)

// Stamp says when the journal was last written, by which clocks.
type Stamp struct {
	BootID string        `json:"boot_id"` // of the kernel that ran then
	Boot   time.Duration `json:"boot"`    // time since that boot
	Wall   time.Time     `json:"wall"`    // wall clock
	Time   time.Time     `json:"time"`    // the program's own time
	// Vouched says that the wall clock was synchronised then, and our own time was its.
	Vouched bool `json:"vouched,omitempty"`
}

// A Group is what is saved of one owner group.
type Group struct {
	// Lineages are all of the group, sorted, those of whom nothing is known yet too.
	Lineages []string
	State    rollover.State
	// Offers are pairs that were handed in and that no pass has taken up, by
	// lineage; nil leaves alone what stands.
	Offers map[string][]rollover.Offer
	// Events are what has happened that made the state what it is.
	Events []rollover.Event
}

// Journal is an open file. It is safe for concurrent use, but not for saving one
// group twice at a time.
type Journal struct {
	path string
	file fs.FileInfo // which one stood there
	db   *bbolt.DB
	// doubt is set after a failure: what stands in the page cache then need not be
	// on the disk, so that the next save writes even if nothing has changed.
	doubt atomic.Bool
}

// together is how long a save waits for others to share its sync.
const together = 2 * time.Millisecond

// Alone says that nobody saves at the same time, so that no save waits for others
// to share its sync with.
func (j *Journal) Alone() { j.db.MaxBatchDelay = 0 }

// Close releases the lock.
func (j *Journal) Close() error { return j.db.Close() }

// Save makes a group durable: it returns when the file is synced. Entries that
// have not changed are not written; if none has, nothing is. Chains that the state
// has let go stay until [Journal.Forget], as another group may name them.
func (j *Journal) Save(g Group, stamp Stamp) error {
	want, err := g.entries()
	if err != nil {
		return j.failed(err)
	}
	var puts, left, gone []entry
	err = j.db.View(func(tx *bbolt.Tx) (err error) {
		puts, left, gone, err = want.against(tx)
		return err
	})
	if err != nil {
		return j.failed(err)
	}
	if len(puts)+len(gone)+len(g.Events) == 0 && !j.doubt.Load() {
		return j.There()
	}
	stamped, err := encoded(bucketMeta, keyStamp, stamp)
	if err != nil {
		return j.failed(err)
	}
	return j.commit(func(tx *bbolt.Tx) error {
		for _, e := range append(puts, stamped) {
			if err := tx.Bucket(e.bucket).Put(e.key, e.value); err != nil {
				return err
			}
		}
		for _, e := range left {
			if tx.Bucket(e.bucket).Get(e.key) != nil {
				continue
			}
			if err := tx.Bucket(e.bucket).Put(e.key, e.value); err != nil {
				return err
			}
		}
		for _, e := range gone {
			if err := tx.Bucket(e.bucket).Delete(e.key); err != nil {
				return err
			}
		}
		return enter(tx, g.Events)
	})
}

// Offer makes durable which pairs wait to be taken up by a pass over a lineage.
func (j *Journal) Offer(lineage string, offers []rollover.Offer) error {
	e, err := encoded(bucketOffers, lineage, offers)
	if err != nil {
		return j.failed(err)
	}
	return j.commit(func(tx *bbolt.Tx) error {
		if len(offers) == 0 {
			return tx.Bucket(bucketOffers).Delete(e.key)
		}
		return tx.Bucket(bucketOffers).Put(e.key, e.value)
	})
}

// Order makes durable what is remembered of the orders for a lineage's certificates.
func (j *Journal) Order(lineage string, i rollover.Issuing) error {
	e, err := encoded(bucketOrders, lineage, i)
	if err != nil {
		return j.failed(err)
	}
	return j.commit(func(tx *bbolt.Tx) error { return tx.Bucket(bucketOrders).Put(e.key, e.value) })
}

// Keep makes durable which pairs lay in the stash when this journal began. It names
// them nowhere else; but somebody may miss them.
func (j *Journal) Keep(ids []tlsa.ChainID) error {
	e, err := encoded(bucketMeta, keyKept, ids)
	if err != nil {
		return j.failed(err)
	}
	return j.commit(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(e.key, e.value) })
}

// Forget drops chains that nothing in the journal names any more, of whatever
// group, and gives back those that it dropped.
func (j *Journal) Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error) {
	var gone []tlsa.ChainID
	err := j.commit(func(tx *bbolt.Tx) error {
		gone = nil
		for _, id := range ids {
			named, err := names(tx, id)
			if err != nil {
				return err
			}
			if named {
				continue
			}
			if err := tx.Bucket(bucketChains).Delete([]byte(id)); err != nil {
				return err
			}
			gone = append(gone, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// commit shares one sync among those who save at the same time.
func (j *Journal) commit(write func(*bbolt.Tx) error) error {
	if err := j.There(); err != nil {
		return err
	}
	failpoint.Here("journal: before a commit")
	if err := j.db.Batch(write); err != nil {
		j.doubt.Store(true)
		return j.failed(err)
	}
	failpoint.Here("journal: committed")
	j.doubt.Store(false)
	return nil
}

// There wants the file to be where the next start looks for it, and fails with
// [ErrGone] else: one that was removed takes everything in, and all of that is lost
// with the process.
func (j *Journal) There() error {
	info, err := os.Stat(j.path)
	switch {
	case err == nil && os.SameFile(info, j.file):
		return nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return j.failed(ErrGone)
	}
	return j.failed(cause(err))
}

func (j *Journal) failed(err error) error {
	return fmt.Errorf("journal %s: %w%s", j.path, err, hint(err))
}

// hint says what to do about the usual troubles of a file system.
func hint(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return " (hint: make room; what was saved before stands)"
	case errors.Is(err, unix.EROFS):
		return " (hint: is it mounted read-only, or missing from the unit's ReadWritePaths=?)"
	case errors.Is(err, fs.ErrPermission):
		return " (hint: tlsaroll must own its state directory)"
	case errors.Is(err, ErrGone):
		return " (hint: put the state directory back as it was, and restart tlsaroll)"
	}
	return ""
}
