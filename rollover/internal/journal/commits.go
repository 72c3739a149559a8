package journal

import (
	"fmt"
	"sync"

	"go.etcd.io/bbolt"
)

// commits lets those who write at the same time share one sync of the disk: what
// comes in while a commit is under way goes into the next one, together.
type commits struct {
	leading sync.Mutex // held by who commits, for all that wait

	mu      sync.Mutex
	waiting []*commit
}

// A commit is one caller's part.
type commit struct {
	write func(*bbolt.Tx) error
	done  bool
	err   error
}

// do returns when what write writes is synced, or why it is not. It may be called
// more than once.
func (c *commits) do(db *bbolt.DB, write func(*bbolt.Tx) error) error {
	mine := &commit{write: write}
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	c.mu.Unlock()

	c.leading.Lock()
	defer c.leading.Unlock()
	if mine.done {
		return mine.err
	}
	c.mu.Lock()
	all := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for len(all) > 0 {
		all = together(db, all)
	}
	return mine.err
}

// together commits all parts at once, or finds one that cannot be written; the
// others are then to be tried without it.
func together(db *bbolt.DB, all []*commit) (again []*commit) {
	bad := -1
	err := update(db, func(tx *bbolt.Tx) error {
		for i, c := range all {
			bad = i // also if it panics
			if err := c.write(tx); err != nil {
				return err
			}
		}
		bad = -1
		return nil
	})
	if bad >= 0 {
		all[bad].done, all[bad].err = true, err
		return append(append([]*commit(nil), all[:bad]...), all[bad+1:]...)
	}
	for _, c := range all {
		c.done, c.err = true, err
	}
	return nil
}

// update makes an error of the panic with which bbolt meets a damaged page.
func update(db *bbolt.DB, write func(*bbolt.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return db.Update(write)
}
