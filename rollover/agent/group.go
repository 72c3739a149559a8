package agent

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// group is the lineages that share owner names, with what is remembered of them.
// All but the atomic fields belong to who has the turn.
type group struct {
	turn  chan struct{} // holds a token during a pass
	shown atomic.Pointer[shown]
	nudge chan struct{} // holds a token where a pass is wanted at once
	hints atomic.Uint64 // how often it was said that files may have been changed

	names    []string        // sorted
	base     rollover.Policy // by configuration; never changed
	policy   rollover.Policy // of the last pass; never changed
	state    rollover.State
	plan     rollover.Plan // of the last pass
	book     book
	far      *far                   // endpoints that are being looked at, nil: none
	lookup   int                    // number of the shared look-ups that the last look used
	failures map[string]failure     // by action
	notRead  map[tlsa.Owner]failure // by where the copy could not be read
	joined   *group                 // which has taken this one in
}

// shown is what those may see who do not have the turn.
type shown struct {
	state  rollover.State
	policy rollover.Policy
}

// book is what a group's passes note for the next ones. It is kept when what the
// pass came to is durable.
type book struct {
	polled   time.Time           // when files were last read
	hints    uint64              // that had come by then
	recheck  time.Time           // when files that were being written may have settled; zero: none
	fed      map[string]onHost   // by lineage: what was decided upon last of what lies on this host
	also     map[string][]alias  // by endpoint URL
	searched search              // for owner names that nobody lists
	policies map[string]mtaState // by MX host; never changed
	audited  audited
}

func (b book) clone() book {
	c := book{polled: b.polled, hints: b.hints, recheck: b.recheck, searched: b.searched, fed: map[string]onHost{}, also: map[string][]alias{}, policies: b.policies, audited: b.audited}
	maps.Copy(c.fed, b.fed)
	maps.Copy(c.also, b.also)
	return c
}

// grouped puts lineages with a common owner name together.
func grouped(lineages []Lineage) [][]Lineage {
	with := make([]int, len(lineages)) // one that it shares a name with, itself if none
	head := func(i int) int {
		for with[i] != i {
			i = with[i]
		}
		return i
	}
	at := map[tlsa.Owner]int{}
	for i, l := range lineages {
		with[i] = i
		for _, owner := range ownersOf(l) {
			if j, shared := at[owner]; shared {
				with[head(j)] = i
			}
			at[owner] = i
		}
	}
	groups := map[int][]Lineage{}
	for i, l := range lineages {
		groups[head(i)] = append(groups[head(i)], l)
	}
	var out [][]Lineage
	for _, i := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[i])
	}
	return out
}

// newGroup makes the group of some lineages.
func newGroup(lineages []Lineage, cfg Config) *group {
	g := &group{turn: make(chan struct{}, 1), nudge: make(chan struct{}, 1), failures: map[string]failure{}, notRead: map[tlsa.Owner]failure{}, base: rollover.Policy{
		Timing: cfg.Timing, Lineages: map[string]rollover.LineagePolicy{},
		AllowInsecure: map[string]bool{}, Margin: map[string]time.Duration{}, Excluded: map[string]bool{},
	}}
	for _, l := range lineages {
		g.names = append(g.names, l.Name)
		policy := l.Policy
		policy.Files = l.files(cfg)
		if l.Issuer != nil {
			policy.Names = l.Names
		}
		policy.Endpoints = slices.Clone(policy.Endpoints)
		for i, e := range policy.Endpoints {
			policy.Endpoints[i].Setting = l.setting(cfg.live(l.Name), e.URL)
		}
		g.base.Lineages[l.Name] = policy
	}
	slices.Sort(g.names)
	for name, z := range cfg.Zones {
		g.base.AllowInsecure[name] = z.AllowInsecure
	}
	for _, p := range cfg.Providers {
		g.base.Margin[p.Name] = p.Margin
	}
	g.policy = g.base
	return g
}

// take waits for the turn.
func (g *group) take(ctx context.Context) error {
	select {
	case g.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *group) give() { <-g.turn }

// show lets others see what is remembered.
func (g *group) show() { g.shown.Store(&shown{g.state, g.policy}) }

// wanted empties the token of a nudge: what it was for is seen to now.
func (g *group) wanted() bool {
	select {
	case <-g.nudge:
		return true
	default:
		return false
	}
}

// unread reports whether files may have been changed since they were read, or were
// still being written then.
func (g *group) unread() bool { return g.hints.Load() != g.book.hints || !g.book.recheck.IsZero() }

// busy reports whether something is on its way, so that a swap may be due.
func (g *group) busy() bool {
	for _, l := range g.state.Lineages {
		if l.Successor != "" || l.Swapping != nil {
			return true
		}
	}
	return false
}

// settling reports whether a swap waits for what this host serves.
func (g *group) settling() bool {
	for _, l := range g.state.Lineages {
		if l.Swapping != nil && l.Swapping.Step == rollover.SwapInstalled {
			return true
		}
	}
	return false
}

// swapping reports whether a swap is under way.
func (g *group) swapping() bool {
	for _, l := range g.state.Lineages {
		if l.Swapping != nil {
			return true
		}
	}
	return false
}

// places are the names where the endpoints' records stand or are asked for, as
// far as is remembered.
func (g *group) places() []tlsa.Owner {
	views := make(map[tlsa.Owner]rollover.OwnerView, len(g.state.Owners))
	for owner, l := range g.state.Owners {
		views[owner] = rollover.OwnerView{Target: l.Target}
	}
	return placesIn(g.policy, views)
}
