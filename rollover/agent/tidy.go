package agent

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tidy removes what a crash left behind.
func (a *Agent) tidy(known journal.Contents) {
	removed, err := a.rooms.Stash.Sweep()
	if err != nil {
		a.log.Warn("the stash could not be swept", "err", err)
	}
	halves, err := a.rooms.Keys.Sweep()
	if err != nil {
		a.log.Warn("the keys could not be swept", "err", err)
	}
	orphans := known.Orphans()
	if err := a.discard(rollover.Discard{Chains: orphans}); err != nil {
		a.log.Warn("pairs that nothing names could not be removed", "err", err)
	}
	strangers, err := a.strangers(known)
	for _, id := range strangers {
		err = errors.Join(err, a.rooms.Stash.Remove(id))
	}
	if err != nil {
		a.log.Warn("pairs that the journal does not know could not be removed", "err", err)
	}
	if n := len(removed) + len(orphans); n > 0 {
		a.log.Info("removed from the stash what nothing names any more", "entries", n)
	}
	if n := len(halves); n > 0 {
		a.log.Info("removed what a crash left beside the keys", "files", n)
	}
	if n := len(strangers); n > 0 {
		a.log.Debug("removed pairs from the stash that the journal does not name", "entries", n)
	}
}

// strangers are the entries of the stash that nothing leads to: the process ended
// before the journal named them, or when it had let them go, or an adoption was
// refused. A journal that is new knows nothing: what lay there before it began stays,
// as another may have known it, and there may be no copy.
func (a *Agent) strangers(known journal.Contents) ([]tlsa.ChainID, error) {
	ids, err := a.rooms.Stash.List()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if known.Stamp == (journal.Stamp{}) {
		return nil, a.rooms.Store.Keep(ids)
	}
	led := known.Named()
	for _, id := range known.Kept {
		led[id] = true
	}
	for _, l := range a.lineages {
		if entry, err := a.rooms.Host(l).Installed(); err == nil && entry != "" {
			led[tlsa.ChainID(filepath.Base(entry))] = true
		}
	}
	links := filepath.Join(a.cfg.State, "live")
	entries, err := os.ReadDir(links)
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(links, e.Name())); err == nil {
			led[tlsa.ChainID(filepath.Base(target))] = true
		}
	}
	return slices.DeleteFunc(ids, func(id tlsa.ChainID) bool { return led[id] }), nil
}
