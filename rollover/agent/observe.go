package agent

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// sight is what one look at a group came to.
type sight struct {
	rollover.Observation
	policy rollover.Policy           // with the aliases and the excluded servers that were found
	post   mail                      // what lay in the inbox
	fresh  map[string][]tlsa.ChainID // by lineage: pairs handed in that may become its successor now
	book   book
	far    bool   // a look at the endpoints is in it
	shares *group // another group that has one of its names; then nothing is decided
	idle   bool   // nothing was looked at but files, and they are as they were
}

// observe looks at everything of a group that is due: files always, servers when
// the plan says. What is seen of endpoints is taken in when it is there. The
// servers come last, so that what is decided upon is fresh.
func (a *Agent) observe(ctx context.Context, g *group) sight {
	s := sight{policy: g.policy, post: a.inbox.look(g.names), book: g.book.clone()}
	s.Lineages, s.Chains = map[string]rollover.LineageView{}, map[tlsa.ChainID]*tlsa.Chain{}
	for _, offers := range s.post.offers {
		for _, h := range offers {
			s.Chains[h.chain.ID()] = h.chain
		}
	}
	a.readFiles(g, s.post, &s.Observation, &s.book)
	s.fresh = g.fresh(s.Lineages)
	if s.far = g.takeFar(&s.Observation, &s.book); !s.far {
		a.lookNear(ctx, g, &s.Observation)
	}
	s.MTASTS = a.enforced(g, s.book)
	s.book.audited.enter(&s.Observation)
	if s.post.any() || len(s.fresh) > 0 || due(g.plan.LookDNS, a.clock.now()) {
		s.shares = a.lookServers(ctx, g, &s)
	}
	s.idle = s.Owners == nil && !s.far && !s.post.any() && !g.swapping() && g.book.fed != nil && reflect.DeepEqual(s.book.fed, g.book.fed)
	return s
}

// fresh are the pairs handed in that nothing is known of, or that a person names.
func (g *group) fresh(views map[string]rollover.LineageView) map[string][]tlsa.ChainID {
	fresh := map[string][]tlsa.ChainID{}
	for name, view := range views {
		l := g.state.Lineages[name]
		for _, offer := range view.Offers {
			if offer.Explicit || !slices.Contains([]tlsa.ChainID{l.Live, l.Successor, l.Queued, l.Staged}, offer.Chain) {
				fresh[name] = append(fresh[name], offer.Chain)
			}
		}
	}
	return fresh
}

// lookServers asks every authoritative server and the resolver about every owner
// name: those of the endpoints, others that have a ledger, and now and then those
// that nobody lists. It returns another group that has one of the names.
func (a *Agent) lookServers(ctx context.Context, g *group, s *sight) (shares *group) {
	dns := a.lookups(g)
	policy, unknown := a.expand(ctx, g, dns, &s.book)
	owners := map[tlsa.Owner]bool{}
	for _, owner := range placesIn(policy, nil) {
		owners[owner] = true
	}
	for owner, l := range g.state.Owners {
		if !l.Since.IsZero() { // else it is but an open question
			owners[owner] = true
		}
	}
	views := a.views(ctx, g, dns, owners)
	s.policy = policy
	s.policy.Excluded = excludedIn(views, g.state)
	s.Owners = make(map[tlsa.Owner]rollover.OwnerView, len(views))
	for owner, v := range views {
		if v.Err == "" {
			v.Err = unknown[owner]
		}
		s.Owners[owner] = a.ownerView(policy, owner, v)
	}
	a.search(ctx, g, dns, s)
	if ctx.Err() != nil {
		return nil
	}
	return a.claim(g, placesIn(policy, s.Owners))
}

// placesIn are the names where the endpoints' records are asked for, and where
// they stand as far as views say.
func placesIn(policy rollover.Policy, views map[tlsa.Owner]rollover.OwnerView) []tlsa.Owner {
	places := map[tlsa.Owner]bool{}
	for _, p := range policy.Lineages {
		for _, e := range p.Endpoints {
			for _, owner := range e.Owners() {
				places[owner] = true
				if target := views[owner].Target; target != "" {
					places[target] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(places))
}
