package agent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Own makes records ours that somebody else published at the owner names of a
// lineage, so that they may be retired. Each must stand there now; else none is
// taken over.
func (a *Agent) Own(lineage string, records ...tlsa.Association) error {
	for {
		a = a.latest()
		g, err := a.group(lineage)
		if err != nil {
			return err
		}
		err = a.take(a.life, g)
		switch {
		case err != nil && a.heir.Load() != nil:
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", lineage, err)
		}
		joined := g.joined != nil
		if !joined {
			err = a.own(g, lineage, records)
		}
		if g.give(); !joined {
			return err
		}
	}
}

func (a *Agent) own(g *group, lineage string, records []tlsa.Association) error {
	state := g.state
	state.Owners = maps.Clone(state.Owners)
	var happened []rollover.Event
	for _, record := range records {
		found := false
		for _, e := range g.policy.Lineages[lineage].Endpoints {
			for _, owner := range e.Owners() {
				ledger := state.Owners[owner]
				if !ledger.Gives(record) {
					continue
				}
				found = true
				if slices.Contains(ledger.Ours, record) {
					continue
				}
				happened = append(happened, rollover.Event{
					At: a.clock.now(), Lineage: lineage, Kind: rollover.Claimed, Text: string(owner) + ": a person made " + record.String() + " ours", Owner: owner, Records: []string{record.String()},
				})
				ledger.Ours = tlsa.NewRRset(0, append(slices.Clone(ledger.Ours), record)...).Associations
				state.Owners[owner] = ledger
			}
		}
		if !found {
			return fmt.Errorf("%s: no server gives the record %s (hint: tlsaroll status %s shows what stands)", lineage, record, lineage)
		}
	}
	if !a.dry {
		if err := a.rooms.Store.Save(g.saved(state, nil, happened), a.clock.stamp()); err != nil {
			return fmt.Errorf("%s: nothing was taken over: %w", lineage, err)
		}
	}
	g.state = state
	g.show()
	a.happened(happened)
	return nil
}

// Fits says why a pair cannot become a lineage's successor, by its scheme and
// its endpoints' names; nil if it can.
func (a *Agent) Fits(lineage string, p certwatch.Pair) error {
	policy, err := a.configured(lineage)
	if err != nil {
		return err
	}
	return policy.Fits(p.Chain)
}

// Uncovered are the endpoints' names that a pair's certificate is not for.
func (a *Agent) Uncovered(lineage string, p certwatch.Pair) []string {
	policy, err := a.configured(lineage)
	if err != nil {
		return nil
	}
	return policy.Uncovered(p.Chain)
}

func (a *Agent) configured(lineage string) (rollover.LineagePolicy, error) {
	a = a.latest()
	if _, err := a.group(lineage); err != nil {
		return rollover.LineagePolicy{}, err
	}
	return a.lineages[lineage].Policy, nil
}
