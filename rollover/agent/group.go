package agent

import (
	"slices"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// group is the lineages that share owner names, with what is remembered of them.
// Its lock is held for a whole pass.
type group struct {
	names  []string
	policy rollover.Policy

	mu       sync.Mutex
	state    rollover.State
	plan     rollover.Plan // of the last pass
	passed   time.Time     // when the last pass looked
	polled   time.Time     // when files were last read
	unlisted time.Time     // when unlisted owners were last searched for
	offers   map[string][]rollover.Offer
	orders   map[string]rollover.Orders
	chains   map[tlsa.ChainID]*tlsa.Chain // offered and not yet in the state
	adopts   map[string]tlsa.ChainID      // by lineage: the pair that a person says is installed
}

// grouped puts lineages with a common owner name together.
func grouped(lineages []Lineage) [][]Lineage {
	var groups [][]Lineage
	for _, l := range lineages {
		joined := []Lineage{l}
		groups = slices.DeleteFunc(groups, func(g []Lineage) bool {
			shares := slices.ContainsFunc(g, func(m Lineage) bool { return share(l, m) })
			if shares {
				joined = append(joined, g...)
			}
			return shares
		})
		groups = append(groups, joined)
	}
	return groups
}

func share(a, b Lineage) bool {
	return slices.ContainsFunc(a.Policy.Endpoints, func(e rollover.Endpoint) bool {
		return slices.ContainsFunc(b.Policy.Endpoints, func(f rollover.Endpoint) bool { return e.Owner == f.Owner })
	})
}

// newGroup makes the group of some lineages.
func newGroup(lineages []Lineage, cfg Config) *group {
	g := &group{policy: rollover.Policy{
		Timing: cfg.Timing, Lineages: map[string]rollover.LineagePolicy{}, Frozen: map[string]time.Time{},
		AllowInsecure: map[string]bool{}, Margin: map[string]time.Duration{}, Excluded: map[string]bool{},
	}, offers: map[string][]rollover.Offer{}, orders: map[string]rollover.Orders{}, chains: map[tlsa.ChainID]*tlsa.Chain{}, adopts: map[string]tlsa.ChainID{}}
	for _, l := range lineages {
		g.names = append(g.names, l.Name)
		g.policy.Lineages[l.Name] = l.Policy
	}
	slices.Sort(g.names)
	for name, z := range cfg.Zones {
		g.policy.AllowInsecure[name] = z.AllowInsecure
	}
	for _, p := range cfg.Providers {
		g.policy.Margin[p.Name] = p.Margin
	}
	return g
}
