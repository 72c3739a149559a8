package agent

import (
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// entries are those of the stash that were found whole. To read each again in
// every pass, with its signatures, would be most of the work of thousands of
// lineages; one whose files have not changed since is as it was.
type entries struct {
	mu    sync.Mutex
	whole map[tlsa.ChainID]wholeEntry
}

type wholeEntry struct {
	chain  *tlsa.Chain
	stamps [3]fileStamp
}

// fileStamp changes with a file: the time is one that nobody can set back.
type fileStamp struct {
	inode  uint64
	size   int64
	status unix.Timespec
}

func stampsOf(dir string) (stamps [3]fileStamp, err error) {
	for i, name := range [...]string{certwatch.FullchainFile, certwatch.PrivkeyFile, certwatch.CombinedFile} {
		var st unix.Stat_t
		path := filepath.Join(dir, name)
		if err := unix.Lstat(path, &st); err != nil {
			return stamps, &os.PathError{Op: "lstat", Path: path, Err: err}
		}
		stamps[i] = fileStamp{st.Ino, st.Size, st.Ctim}
	}
	return stamps, nil
}

// entry is the chain of an entry of the stash that is whole, else what is wrong
// with it.
func (a *Agent) entry(id tlsa.ChainID) (*tlsa.Chain, error) {
	e := &a.entries
	before, missing := stampsOf(a.stash.Path(id))
	e.mu.Lock()
	known, ok := e.whole[id]
	e.mu.Unlock()
	if missing == nil && ok && known.stamps == before {
		return known.chain, nil
	}
	pair, err := a.stash.Get(id)
	e.mu.Lock()
	defer e.mu.Unlock()
	if delete(e.whole, id); err != nil {
		return nil, err
	}
	if missing == nil {
		e.whole[id] = wholeEntry{pair.Chain, before}
	}
	return pair.Chain, nil
}

// forget lets go of an entry that was removed.
func (e *entries) forget(id tlsa.ChainID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.whole, id)
}

// keep copies a pair into the stash, or mends its entry there; a dry agent does not.
func (a *Agent) keep(p certwatch.Pair) error {
	if a.dry {
		return nil
	}
	if _, err := a.entry(p.ID()); err == nil {
		return nil
	}
	a.stashing.Lock()
	defer a.stashing.Unlock()
	_, err := a.stash.Put(p)
	return err
}

// discard takes pairs out of the stash that no lineage of any group names.
func (a *Agent) discard(ids []tlsa.ChainID) error {
	if len(ids) == 0 {
		return nil
	}
	a.stashing.Lock()
	defer a.stashing.Unlock()
	gone, err := a.store.Forget(ids)
	for _, id := range gone {
		a.entries.forget(id)
		if e := a.stash.Remove(id); err == nil {
			err = e
		}
	}
	return err
}
