package agent

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Adopt hands a pair to every pass from now on as the one that is installed: the
// rules take it over if it is the one that is served, and refuse it if not.
func (a *Agent) Adopt(lineage string, p certwatch.Pair) error {
	g, err := a.group(lineage)
	if err != nil {
		return err
	}
	if err := a.keep(p); err != nil {
		return fmt.Errorf("%s: %w", lineage, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.adopts[lineage] = p.ID()
	g.chains[p.ID()] = p.Chain
	return nil
}

// Own makes records ours that somebody else published at the owner names of a
// lineage, so that they may be retired. Each must stand there now.
func (a *Agent) Own(lineage string, records ...tlsa.Association) error {
	g, err := a.group(lineage)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, record := range records {
		found := false
		for _, e := range g.policy.Lineages[lineage].Endpoints {
			for _, owner := range e.Owners() {
				ledger := g.state.Owners[owner]
				if !ledger.Gives(record) {
					continue
				}
				found = true
				ledger.Ours = tlsa.NewRRset(0, append(slices.Clone(ledger.Ours), record)...).Associations
				g.state.Owners[owner] = ledger
			}
		}
		if !found {
			return fmt.Errorf("%s: no server gives the record %s (hint: tlsaroll status %s shows what stands)", lineage, record, lineage)
		}
	}
	if a.dry {
		return nil
	}
	return a.save(g)
}

// Fits says why a pair cannot become a lineage's successor, by its scheme and
// its endpoints' names; nil if it can.
func (a *Agent) Fits(lineage string, p certwatch.Pair) error {
	g, err := a.group(lineage)
	if err != nil {
		return err
	}
	return g.policy.Lineages[lineage].Fits(p.Chain)
}

// Uncovered are the endpoints' names that a pair's certificate is not for.
func (a *Agent) Uncovered(lineage string, p certwatch.Pair) []string {
	g, err := a.group(lineage)
	if err != nil {
		return nil
	}
	return g.policy.Lineages[lineage].Uncovered(p.Chain)
}
