package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	// lockTimeout is how long to wait for another instance to let the journal go.
	lockTimeout = 3 * time.Second
	// defaultWorkers is how many groups are looked at side by side.
	defaultWorkers = 16
	// connections is how many addresses are probed side by side, of all groups.
	connections = 64
)

// Agent keeps the lineages of one configuration. It is safe for concurrent use;
// passes over one owner group take turns.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	clock    steady
	rooms    Rooms
	lineages map[string]Lineage
	listed   map[tlsa.Owner]bool // where the configuration has an endpoint
	dry      bool

	inbox    *inbox
	looks    looks
	routine  slots // for groups with nothing on its way
	pressing slots // for those with something on its way
	hosts    slots // for groups that ask for the addresses of their endpoints
	probes   slots // for connections
	judges   slots // for those to addresses that judge a swap
	stashing latch // held while the stash changes
	keying   latch // held while a key that was made ahead is taken up or changed
	desk     *desk // shared with all heirs
	rests    rests

	// What is looked at in the background may take longer than the pass that began
	// it, and ends with the agent.
	life       context.Context
	end        context.CancelFunc
	heir       atomic.Pointer[Agent] // set before life ends, nil where it is closed
	background sync.WaitGroup

	mu     sync.Mutex // of what follows
	groups []*group
	of     map[string]*group     // by lineage
	at     map[tlsa.Owner]*group // by the names where records stand or are asked for
	bells  map[chan struct{}]bool
	parted bool // the wall clock was seen to have parted from ours
	follow map[*follower]bool
	begun  uint64 // passes so far

	pings chan chan struct{} // answered by who makes passes when they are due
	next  atomic.Int64       // when the next pass is due, in Unix nanoseconds; 0: not known
}

// Errors that callers tell apart.
var (
	// ErrLocked says that another instance has the journal open.
	ErrLocked = journal.ErrLocked
	// ErrUnknownLineage says that the configuration has no lineage of that name.
	ErrUnknownLineage = errors.New("no such lineage")
	// ErrClosed says that the agent was closed.
	ErrClosed = errors.New("closed")
)

// Open opens the journal, which locks out other instances, and loads what is
// known of all lineages.
func Open(cfg Config) (*Agent, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	points()
	store, known, aside, err := journal.Open(journalIn(cfg.State), cmp.Or(cfg.Lock, lockTimeout))
	if err != nil {
		return nil, err
	}
	rooms, err := cfg.rooms(store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if aside != "" {
		cfg.Log.Error("the journal was corrupt: it was moved aside and every wait starts again", "moved", aside)
	}
	return open(cfg, rooms, known), nil
}

func open(cfg Config, rooms Rooms, known journal.Contents) *Agent {
	a := assemble(cfg, rooms, known)
	a.tidy(known)
	return a
}

// OpenDry is like [Open] for looking only: the journal is read and let go, and
// nothing is changed by any pass.
func OpenDry(cfg Config) (*Agent, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	known, err := journal.Read(journalIn(cfg.State), lockTimeout)
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	rooms, err := cfg.rooms(nothing{journalIn(cfg.State)})
	if err != nil {
		return nil, err
	}
	a := assemble(cfg, rooms, known)
	a.dry = true
	return a, nil
}

func journalIn(state string) string { return filepath.Join(state, "journal.db") }

// Close ends what is looked at and ordered in the background, and lets the journal go. Passes
// end with [ErrClosed] from then on.
func (a *Agent) Close() error {
	a.end()
	a.desk.close()
	a.background.Wait()
	return a.rooms.Store.Close()
}

// Now is the agent's own time.
func (a *Agent) Now() time.Time { return a.clock.now() }

// Lineages are the configured names, sorted.
func (a *Agent) Lineages() []string {
	names := make([]string, 0, len(a.lineages))
	for name := range a.lineages {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// State is what is remembered of a lineage's owner group now. A pass under way is
// not waited for.
func (a *Agent) State(lineage string) (rollover.State, rollover.Policy, error) {
	g, err := a.latest().group(lineage)
	if err != nil {
		return rollover.State{}, rollover.Policy{}, err
	}
	s := g.shown.Load()
	return s.state, s.policy, nil
}

func (a *Agent) group(lineage string) (*group, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := a.of[lineage]
	if !ok {
		return nil, fmt.Errorf("lineage %q: %w (hint: the configuration has %s)", lineage, ErrUnknownLineage, strings.Join(a.Lineages(), ", "))
	}
	return g, nil
}
