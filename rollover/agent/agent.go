package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// store keeps states. What Save returned for is there after a crash.
type store interface {
	Save(g journal.Group, stamp journal.Stamp) error
	Offer(lineage string, offers []rollover.Offer) error
	Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error)
	Close() error
}

// lockTimeout is how long to wait for another instance to let the journal go.
const lockTimeout = 3 * time.Second

// Agent keeps the lineages of one configuration. It is safe for concurrent use;
// passes over one owner group take turns.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	clock    steady
	store    store
	stash    certwatch.Stash
	reader   certwatch.Reader
	lookup   *lookup.Client
	prober   *probe.Prober
	lineages map[string]Lineage
	groups   []*group
	of       map[string]*group // by lineage
	dry      bool
}

// Errors that callers tell apart.
var (
	ErrLocked         = journal.ErrLocked
	ErrUnknownLineage = errors.New("no such lineage")
)

// Open opens the journal, which locks out other instances, and loads what is
// known of all lineages.
func Open(cfg Config) (*Agent, error) {
	store, known, aside, err := journal.Open(filepath.Join(cfg.State, "journal.db"), lockTimeout)
	if err != nil {
		return nil, err
	}
	a, err := assemble(cfg, store, known)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if aside != "" {
		a.log.Error("the journal was corrupt: it was moved aside and every wait starts again", "moved", aside)
	}
	if removed, err := a.stash.Sweep(); err != nil {
		a.log.Warn("the stash could not be swept", "err", err)
	} else if len(removed) > 0 {
		a.log.Info("removed what a crash left in the stash", "entries", len(removed))
	}
	return a, nil
}

// OpenDry is like [Open] for looking only: the journal is read, not locked for
// writing, and nothing is changed by any pass.
func OpenDry(cfg Config) (*Agent, error) {
	known, err := journal.Read(filepath.Join(cfg.State, "journal.db"), lockTimeout)
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	a, err := assemble(cfg, nothing{}, known)
	if err != nil {
		return nil, err
	}
	a.dry = true
	return a, nil
}

func assemble(cfg Config, store store, known journal.Contents) (*Agent, error) {
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: cfg.Clock.Wall, Exchange: cfg.Exchange})
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg, log: cfg.Log, store: store, lookup: client,
		stash:    certwatch.Stash{Dir: filepath.Join(cfg.State, "stash")},
		reader:   certwatch.Reader{Quiet: cfg.Quiet, Now: cfg.Clock.Wall},
		prober:   &probe.Prober{Dial: cfg.Dial, Hello: cfg.Hello},
		lineages: map[string]Lineage{}, of: map[string]*group{}}
	var trusted bool
	a.clock, trusted = begin(cfg.Clock, known.Stamp)
	if !trusted {
		a.log.Warn("the time that passed since the journal was last written cannot be trusted: open waits start again", "written", known.Stamp.Time)
	}
	for _, lineages := range grouped(cfg.Lineages) {
		g := newGroup(lineages, cfg)
		g.state = known.State(g.names, ownersOf(lineages))
		if !trusted {
			g.state = rollover.Restart(g.state, a.clock.now())
		}
		for _, l := range lineages {
			a.lineages[l.Name], a.of[l.Name] = l, g
		}
		a.groups = append(a.groups, g)
	}
	return a, nil
}

// ownersOf are the owner names of all endpoints of some lineages.
func ownersOf(lineages []Lineage) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, l := range lineages {
		for _, e := range l.Policy.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// save makes what is known of a group durable.
func (a *Agent) save(g *group) error {
	return a.store.Save(journal.Group{Lineages: g.names, State: g.state}, a.clock.stamp())
}

// Close lets the journal go.
func (a *Agent) Close() error { return a.store.Close() }

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

func (a *Agent) group(lineage string) (*group, error) {
	g, ok := a.of[lineage]
	if !ok {
		return nil, fmt.Errorf("lineage %q: %w (hint: the configuration has %v)", lineage, ErrUnknownLineage, a.Lineages())
	}
	return g, nil
}

// Offer copies a pair into the stash, durably, and hands it to the next pass over
// its lineage as the successor that a person asked for.
func (a *Agent) Offer(lineage string, p certwatch.Pair) (tlsa.ChainID, error) {
	g, err := a.group(lineage)
	if err != nil {
		return "", err
	}
	if a.dry {
		return p.ID(), a.offer(g, lineage, p)
	}
	if _, err := a.stash.Put(p); err != nil {
		return "", fmt.Errorf("%s: %w", lineage, err)
	}
	return p.ID(), a.offer(g, lineage, p)
}

func (a *Agent) offer(g *group, lineage string, p certwatch.Pair) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.chains[p.ID()] = p.Chain
	g.offers[lineage] = append(g.offers[lineage], rollover.Offer{Chain: p.ID(), Explicit: true})
	return nil
}

// Order hands a person's words to every pass from now on, until they change.
func (a *Agent) Order(lineage string, o rollover.Orders) error {
	g, err := a.group(lineage)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.orders[lineage] = o
	return nil
}

// State is what is remembered of a lineage's owner group now.
func (a *Agent) State(lineage string) (rollover.State, rollover.Policy, error) {
	g, err := a.group(lineage)
	if err != nil {
		return rollover.State{}, rollover.Policy{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state, g.policy, nil
}

// Report is what one pass came to.
type Report struct {
	State   rollover.State
	Policy  rollover.Policy
	Plan    rollover.Plan
	Failed  []error // what went wrong with an action; the rest of the pass went on
	At      time.Time
	Changed bool // something was done
}

// Pass makes one pass over the owner group of a lineage: look, decide, remember, act.
func (a *Agent) Pass(ctx context.Context, lineage string) (Report, error) {
	g, err := a.group(lineage)
	if err != nil {
		return Report{}, err
	}
	return a.pass(ctx, g, a.lookup.NewPass(a.zones()))
}

func (a *Agent) pass(ctx context.Context, g *group, dns *lookup.Pass) (Report, error) {
	g.mu.Lock()
	defer g.mu.Unlock()

	seen := a.observe(ctx, g, dns)
	if err := ctx.Err(); err != nil {
		return Report{}, err // a look that was cut short says nothing
	}
	now := a.clock.now()
	state, plan := rollover.Next(g.state, seen, g.policy, now)
	if len(plan.Read) > 0 {
		seen.Copies = a.copies(ctx, plan.Read, state)
		state, plan = rollover.Next(g.state, seen, g.policy, a.clock.now())
	}
	r := Report{State: state, Policy: g.policy, Plan: plan, At: now, Changed: len(plan.Actions) > 0}
	if a.dry {
		g.plan = plan
		return r, nil
	}
	if err := a.store.Save(journal.Group{Lineages: g.names, State: state}, a.clock.stamp()); err != nil {
		return r, fmt.Errorf("nothing was done: %w", err)
	}
	g.state, g.plan = state, plan
	clear(g.offers)
	clear(g.chains)
	for name, o := range g.orders {
		o.Retry = false // said once
		g.orders[name] = o
	}
	err := a.act(ctx, g, plan.Actions, func(o outcomeOf) error {
		if o.err != nil {
			r.Failed = append(r.Failed, o.err)
		}
		g.state = rollover.Done(g.state, o.action, o.result(), g.policy, a.clock.now())
		if err := a.save(g); err != nil {
			return fmt.Errorf("%s was done and could not be recorded: %w", o.action, err)
		}
		return nil
	})
	r.State = g.state
	return r, err
}

func (a *Agent) zones() map[string]lookup.Zone {
	zones := map[string]lookup.Zone{}
	for name, z := range a.cfg.Zones {
		zones[name] = lookup.Zone{Hidden: z.Hidden, Exclude: z.Exclude, Private: z.Private}
	}
	return zones
}

func (a *Agent) isLocal(ip netip.Addr) bool {
	return a.cfg.Local != nil && slices.Contains(a.cfg.Local(), ip.Unmap())
}
