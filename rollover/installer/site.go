package installer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// StateOf is the directory of root's own copies, beside the state directory of the daemon.
func StateOf(state string) string { return filepath.Clean(state) + "-installer" }

// LiveIn is the symlink to the live pair of a lineage, which servers may read.
func LiveIn(state, lineage string) string { return filepath.Join(StateOf(state), "live", lineage) }

// A Site is what root's configuration says of a lineage.
type Site struct {
	Host  swap.Host // its live link is in State
	State string    // see [StateOf]
	Names []string  // for which a certificate has to be
}

// slack is what a switch may take beside its commands.
const slack = time.Minute

// Patience is how long a switch may take at most.
func (s Site) Patience() time.Duration {
	timeout := s.Host.Timeout
	if timeout == 0 {
		timeout = swap.DefaultTimeout
	}
	const relabels = 2 // restorecon runs before and after
	return time.Duration(len(s.Host.Check)+len(s.Host.Reload)+relabels)*timeout + slack
}

func (s Site) stash() certwatch.Stash { return certwatch.Stash{Dir: filepath.Join(s.State, "stash")} }

// installed says which pair is live.
func (s Site) installed() reply {
	entry, err := s.Host.Installed()
	if err != nil {
		return refused(err)
	}
	r := reply{Protocol: protocol}
	if entry != "" {
		r.Entry = tlsa.ChainID(filepath.Base(entry))
	}
	return r
}

// act does what was asked for with a pair, once that has been looked at.
func (s Site) act(ctx context.Context, q request) reply {
	pair, err := s.pair(q)
	if err != nil {
		return refused(err)
	}
	if _, err := s.stash().Sweep(); err != nil { // nobody else puts anything there: what is unfinished a crash left, with a key in it
		return refused(err)
	}
	entry, err := s.stash().Put(pair)
	if err != nil {
		return refused(err)
	}
	var result swap.Result
	if q.Verb == verbAdopt {
		err = s.Host.Adopt(entry)
	} else {
		ctx, cancel := context.WithTimeout(ctx, s.Patience())
		defer cancel()
		result, err = s.Host.Switch(ctx, entry)
	}
	r := replyOf(result, err)
	if err := s.tidy(r.Previous); err != nil {
		r.Warnings = append(r.Warnings, swap.Problem{Code: swap.CodeLeftover, Severity: swap.Warning, Text: "installer: " + err.Error()})
	}
	return r
}

// pair is the one that came, if it may be installed for the lineage.
func (s Site) pair(q request) (certwatch.Pair, error) {
	pair, err := certwatch.FromPEM(q.Chain, q.Key)
	if err != nil {
		return pair, err
	}
	pair.Chain = pair.AsFound // what was published is installed, and no other order of it
	if pair.ID() != q.Entry {
		return pair, fmt.Errorf("the chain is not the one that was named, %s", q.Entry.Short())
	}
	for _, name := range s.Names {
		if err := pair.Covers(name); err != nil {
			return pair, fmt.Errorf("lineage %s: %w", q.Lineage, err)
		}
	}
	return pair, nil
}

// tidy removes the pairs that no live link leads to, but for the one before: a server may be
// reading it.
func (s Site) tidy(previous tlsa.ChainID) error {
	led := []tlsa.ChainID{previous}
	links := filepath.Dir(s.Host.Live)
	entries, err := os.ReadDir(links)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(links, e.Name()))
		if err != nil {
			return err
		}
		led = append(led, tlsa.ChainID(filepath.Base(target)))
	}
	ids, err := s.stash().List()
	for _, id := range ids {
		if !slices.Contains(led, id) {
			err = errors.Join(err, s.stash().Remove(id))
		}
	}
	return err
}
