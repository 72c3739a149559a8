package agent

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// assemble makes an agent of a configuration and what is known, with what was
// handed in before a restart in its inbox.
func assemble(cfg Config, store store, known journal.Contents) (*Agent, error) {
	a, err := build(cfg, store, known)
	if err != nil {
		return nil, err
	}
	a.recall(known)
	return a, nil
}

// build is assemble with an empty inbox.
func build(cfg Config, store store, known journal.Contents) (*Agent, error) {
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: cfg.Clock.Wall, Exchange: cfg.Exchange})
	if err != nil {
		return nil, err
	}
	if cfg.FetchPolicy == nil {
		cfg.FetchPolicy = policyFetcher{}.fetch
	}
	if cfg.Watch == nil {
		cfg.Watch = certwatch.Watch
	}
	a := &Agent{
		cfg: cfg, log: cfg.Log, store: store, lookup: client, zones: map[string]lookup.Zone{},
		stash:    certwatch.Stash{Dir: filepath.Join(cfg.State, "stash")},
		reader:   certwatch.Reader{Quiet: cfg.Quiet, Now: cfg.Clock.Wall},
		prober:   &probe.Prober{Dial: cfg.Dial, Hello: cfg.Hello},
		lineages: map[string]Lineage{}, listed: map[tlsa.Owner]bool{},
		inbox: newInbox(), stashing: newLatch(),
		routine: newSlots(cfg.Workers), pressing: newSlots(cfg.Workers), hosts: newSlots(cfg.Workers), probes: newSlots(connections), judges: newSlots(connections),
		of: map[string]*group{}, at: map[tlsa.Owner]*group{}, bells: map[chan struct{}]bool{}, follow: map[*follower]bool{}, pings: make(chan chan struct{}),
	}
	a.life, a.end = context.WithCancel(context.Background())
	for name, z := range cfg.Zones {
		a.zones[name] = lookup.Zone{Hidden: z.Hidden, Exclude: z.Exclude, Private: z.Private}
	}
	var trusted bool
	if a.clock, trusted = begin(cfg.Clock, known.Stamp); !trusted {
		a.log.Warn("the time that passed since the journal was last written cannot be trusted: open waits start again", "written", known.Stamp.Time)
	}
	a.form(known, trusted)
	return a, nil
}

// form makes the groups: lineages that share an owner name by configuration, or
// whose records stand at one name as far as is known.
func (a *Agent) form(known journal.Contents, trusted bool) {
	for _, l := range a.cfg.Lineages {
		a.lineages[l.Name] = l
		for _, owner := range ownersOf(l) {
			a.listed[owner] = true
		}
	}
	for _, lineages := range grouped(a.cfg.Lineages) {
		g := newGroup(lineages, a.cfg)
		owners := ownersOf(lineages...)
		g.state = known.State(g.names, owners)
		maps.DeleteFunc(g.state.Owners, func(owner tlsa.Owner, _ rollover.Ledger) bool {
			return a.listed[owner] && !slices.Contains(owners, owner) // another group's by now
		})
		if !trusted {
			g.state = rollover.Restart(g.state, a.clock.now())
		}
		for other := a.claim(g, g.places()); other != nil; other = a.claim(g, g.places()) {
			g = a.merge(g, other)
		}
		for _, name := range g.names {
			a.of[name] = g
		}
		a.groups = append(a.groups, g)
		g.show()
	}
}

// recall takes up the pairs that were handed in and that no pass has seen.
func (a *Agent) recall(known journal.Contents) {
	for _, name := range slices.Sorted(maps.Keys(known.Offers)) {
		if _, configured := a.lineages[name]; !configured {
			continue
		}
		for _, offer := range known.Offers[name] {
			pair, err := a.stash.Get(offer.Chain)
			if err != nil {
				a.log.Error("a pair that was handed in is lost: hand it in again", "lineage", name, "pair", offer.Chain.Short(), "err", err)
				continue
			}
			a.inbox.recall(name, handed{offer, pair.Chain})
		}
	}
}

// ownersOf are the owner names of all endpoints of some lineages, sorted.
func ownersOf(lineages ...Lineage) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, l := range lineages {
		for _, e := range l.Policy.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}
