package agent

import (
	"context"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/internal/stsfetch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// assemble makes an agent of a configuration and what is known, with what was
// handed in before a restart in its inbox.
func assemble(cfg Config, rooms Rooms, known journal.Contents) *Agent {
	a := build(cfg, rooms, known)
	a.recall(known)
	return a
}

// build is assemble with an empty inbox.
func build(cfg Config, rooms Rooms, known journal.Contents) *Agent {
	if cfg.FetchPolicy == nil {
		cfg.FetchPolicy = stsfetch.Fetcher{}.Fetch
	}
	if cfg.Watch == nil {
		cfg.Watch = certwatch.Watch
	}
	a := &Agent{
		cfg: cfg, log: cfg.Log, rooms: rooms, lineages: map[string]Lineage{}, listed: map[tlsa.Owner]bool{},
		inbox: newInbox(), stashing: newLatch(), keying: newLatch(), desk: newDesk(known.Orders),
		routine: newSlots(cfg.Workers), pressing: newSlots(cfg.Workers), hosts: newSlots(cfg.Workers), probes: newSlots(connections), judges: newSlots(connections),
		of: map[string]*group{}, at: map[tlsa.Owner]*group{}, bells: map[chan struct{}]bool{}, follow: map[*follower]bool{}, pings: make(chan chan struct{}),
	}
	a.life, a.end = context.WithCancel(context.Background())
	var trusted bool
	if a.clock, trusted = begin(cfg.Clock, known.Stamp); !trusted {
		a.log.Warn("the time that passed since the journal was last written cannot be trusted: open waits start again", "written", known.Stamp.Time)
	}
	a.form(known, trusted)
	return a
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
			pair, err := a.rooms.Stash.Get(offer.Chain)
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
