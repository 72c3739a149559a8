package journal

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// TestCommitsTogether: what comes in while a commit is under way shares the next
// one, and what cannot be written keeps no other from it.
func TestCommitsTogether(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	begun, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		once := sync.OnceFunc(func() { close(begun); <-release })
		if err := j.commit(func(*bbolt.Tx) error { once(); return nil }); err != nil {
			t.Error(err)
		}
	})
	<-begun
	errBad := errors.New("bad")
	const callers = 20
	for i := range callers {
		wait.Go(func() {
			err := j.commit(func(tx *bbolt.Tx) error {
				switch {
				case i == 7:
					return errBad
				case i == 9:
					panic("page 3: damaged")
				}
				return tx.Bucket(bucketMeta).Put(fmt.Appendf(nil, "key %d", i), []byte("value"))
			})
			switch {
			case i == 7 && !errors.Is(err, errBad), i == 9 && !errors.Is(err, ErrCorrupt), i != 7 && i != 9 && err != nil:
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	for waits := 0; waits < callers; runtime.Gosched() {
		j.commits.mu.Lock()
		waits = len(j.commits.waiting)
		j.commits.mu.Unlock()
	}
	before := commitsOf(t, j)
	close(release)
	wait.Wait()
	if n := commitsOf(t, j) - before; n != 2 {
		t.Errorf("%d commits, want that under way and one for all others", n)
	}
	if err := j.db.View(func(tx *bbolt.Tx) error {
		for i := range callers {
			if there := tx.Bucket(bucketMeta).Get(fmt.Appendf(nil, "key %d", i)) != nil; there != (i != 7 && i != 9) {
				t.Errorf("caller %d: written is %t", i, there)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
