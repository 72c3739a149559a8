package agent

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Two groups whose owner names turn out to be aliases of one name, or one of which
// has a host that is an alias of the other's, share an RRset. They are planned as
// one from then on: neither may take out what the other needs.

// sharing says that a group shares a place with another.
type sharing struct{ with *group }

func (s *sharing) Error() string { return "shares records with another group" }

// errJoined says that a group was taken in by another.
var errJoined = errors.New("joined with another group")

// claim enters the places of a group, and returns another group that has one of
// them, nil if none has.
func (a *Agent) claim(g *group, places []tlsa.Owner) *group {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, place := range places {
		if other := a.at[place]; other != nil && other != g {
			return other
		}
	}
	for _, place := range places {
		a.at[place] = g
	}
	return nil
}

// join makes one group of two. Nobody has the turn of either.
func (a *Agent) join(ctx context.Context, g, other *group) error {
	first, second := g, other
	if second.names[0] < first.names[0] {
		first, second = second, first
	}
	if err := a.take(ctx, first); err != nil {
		return err
	}
	defer first.give()
	if err := a.take(ctx, second); err != nil {
		return err
	}
	defer second.give()
	if first.joined != nil || second.joined != nil {
		return nil // somebody else was quicker; the next pass looks again
	}
	a.log.Info("lineages share records: they are planned together", "lineages", slices.Concat(first.names, second.names))
	into := a.merge(first, second)
	into.show()
	a.ring(into)
	return nil
}

// merge takes the second group into the first.
func (a *Agent) merge(into, g *group) *group {
	into.names = slices.Sorted(slices.Values(slices.Concat(into.names, g.names)))
	base := into.base
	base.Lineages = maps.Clone(base.Lineages)
	maps.Copy(base.Lineages, g.base.Lineages)
	into.base, into.policy = base, base
	into.state = union(into.state, g.state)
	into.plan, into.book = rollover.Plan{}, book{}
	into.abandon()
	g.abandon()
	g.joined = into

	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range into.names {
		a.of[name] = into
	}
	for place, who := range a.at {
		if who == g {
			a.at[place] = into
		}
	}
	a.groups = slices.DeleteFunc(a.groups, func(x *group) bool { return x == g })
	return into
}

// union is what two groups know together. Of an owner name that both know, the
// ledger counts that reaches back further.
func union(s, t rollover.State) rollover.State {
	out := rollover.State{Lineages: maps.Clone(s.Lineages), Owners: maps.Clone(s.Owners), Chains: maps.Clone(s.Chains)}
	maps.Copy(out.Lineages, t.Lineages)
	maps.Copy(out.Chains, t.Chains)
	for owner, l := range t.Owners {
		if known, twice := out.Owners[owner]; !twice || l.ReachesBackFurther(known) {
			out.Owners[owner] = l
		}
	}
	return out
}

// saved is a group as the journal keeps it.
func (g *group) saved(s rollover.State, offers map[string][]rollover.Offer, events []rollover.Event) journal.Group {
	return journal.Group{Lineages: g.names, State: s, Offers: offers, Events: events}
}
