package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/installer"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Where things lie in the state directory, see [agent.Open].
func journalOf(cfg *config.Config) string { return filepath.Join(cfg.State, "journal.db") }

func stashOf(cfg *config.Config) certwatch.Stash {
	return certwatch.Stash{Dir: filepath.Join(cfg.State, "stash")}
}

func liveOf(cfg *config.Config, lineage string) string {
	if cfg.Installer != "" {
		return installer.LiveIn(cfg.State, lineage)
	}
	return filepath.Join(cfg.State, "live", lineage)
}

// stash looks at every pair that is kept.
func (h *hereabouts) stash(cfg *config.Config) {
	ids, err := stashOf(cfg).List()
	if err != nil {
		h.failed(rollover.CodeStashUnreadable, stashOf(cfg).Dir, err)
		return
	}
	for _, id := range ids {
		_, err := stashOf(cfg).Get(id)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it was taken out meanwhile
			h.failed(rollover.CodeStashUnreadable, id.Short(), err)
		}
	}
}

// lineage looks at the pair that is staged and at the one that is live.
func (h *hereabouts) lineage(cfg *config.Config, l config.Lineage) {
	h.staged(cfg, l)
	h.live(cfg, l)
}

func (h *hereabouts) staged(cfg *config.Config, l config.Lineage) {
	files := stagedFiles(l.Staged)
	if files.Cert == "" {
		return
	}
	pair, err := certwatch.Load(files)
	if files.Key == "" && errors.Is(err, certwatch.ErrNoKey) {
		h.ordered(cfg, l, files)
		return
	}
	if err != nil {
		h.failed(rollover.CodeStagedUnreadable, l.Name, fmt.Errorf("%s: %w", l.Name, err))
		return
	}
	h.pair(l, pair)
}

// ordered looks at a certificate that was ordered with a request: its key is one that is
// kept here, the one made ahead or that of a pair in the stash.
func (h *hereabouts) ordered(cfg *config.Config, l config.Lineage, files certwatch.Files) {
	var spare []certwatch.PrivateKey
	switch next, err := keyring(cfg).Next(l.Name); {
	case err == nil:
		spare = append(spare, next.PrivateKey)
	case !errors.Is(err, fs.ErrNotExist):
		h.failed(rollover.CodeStandbyUnreadable, l.Name, fmt.Errorf("%s: %w", l.Name, err))
		return
	}
	ids, _ := stashOf(cfg).List() // said already
	for _, id := range ids {
		if pair, err := stashOf(cfg).Get(id); err == nil {
			spare = append(spare, pair.Key)
		}
	}
	pair, err := certwatch.Load(files, spare...)
	if err != nil {
		h.failed(rollover.CodeStagedUnreadable, l.Name, fmt.Errorf("%s: %w", l.Name, err))
		return
	}
	h.pair(l, pair)
}

// pair tells what was repaired in staged files.
func (h *hereabouts) pair(l config.Lineage, pair certwatch.Pair) {
	for _, f := range pair.Findings {
		h.tell(rollover.Code(f.Code), l.Staged.Cert, l.Name+": "+f.Text)
	}
}

// live follows the link to the pair that is in service.
func (h *hereabouts) live(cfg *config.Config, l config.Lineage) {
	link := liveOf(cfg, l.Name)
	to, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) {
		h.tell(rollover.CodeAdopting, l.Name, l.Name+": no pair is live yet (hint: run, once and rollover take over the one that is served, if the install files hold it; else tlsaroll adopt "+l.Name+" does)")
		return
	}
	if err != nil {
		h.failed(rollover.CodeLiveUnreadable, l.Name, fmt.Errorf("%s: %w", l.Name, fileError(link, err)))
		return
	}
	if _, err := stashOf(cfg).Get(tlsa.ChainID(filepath.Base(to))); err != nil {
		h.failed(rollover.CodeLiveUnreadable, l.Name, fmt.Errorf("%s: %s: %w", l.Name, link, err))
	}
}
