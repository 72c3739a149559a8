package agent

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	// searchTime bounds one search: what is not answered by then is not known, and
	// asked again.
	searchTime = 10 * time.Second
	// searchAgain is the span between searches while a swap waits for them alone,
	// or while some answers are lacking.
	searchAgain = time.Minute
	// asksAtOnce is how many questions of one search the resolver gets at once.
	asksAtOnce = 16
)

// mailPorts are where clients of a mail host look for TLSA records (DESIGN 4.6).
func mailPorts() []uint16 { return []uint16{25, 465, 587, 993, 995, 143, 110, 4190} }

// search is when owner names that nobody lists were searched for, and among which.
type search struct {
	at       time.Time
	among    []tlsa.Owner // sorted
	complete bool
	deaf     bool // the resolver was of no use since
}

// due reports whether to search again: at once among other names, and for answers
// that are lacking when the resolver is of use again; else now and then, and more often
// when the swap may come or answers are lacking.
func (s search) due(among []tlsa.Owner, ripe bool, look time.Duration, now time.Time) bool {
	switch {
	case s.at.IsZero() || !slices.Equal(among, s.among):
		return true
	case s.deaf && !s.complete:
		return true
	case ripe || !s.complete:
		return now.Sub(s.at) >= searchAgain
	}
	return now.Sub(s.at) >= look
}

// search asks the resolver for TLSA records at every name of the live and the
// next certificates, while a successor is on its way. What exists is looked at like
// any owner name; what cannot be told is said.
func (a *Agent) search(ctx context.Context, g *group, pass Looker, s *sight) {
	now := a.clock.now()
	wanted, ripe := len(s.fresh) > 0, false
	for _, l := range g.state.Lineages {
		wanted = wanted || l.Successor != ""
		ripe = ripe || l.Successor != "" && !l.ReadyAt.IsZero() && !now.Before(l.ReadyAt)
	}
	if !wanted {
		return
	}
	if s.deaf() {
		s.book.searched.deaf = true
		return
	}
	among := a.candidates(g, s)
	if !s.book.searched.due(among, ripe, g.base.Timing.Look, now) {
		return
	}
	found, unknown := a.exist(ctx, pass, among)
	s.Unlisted = unknown
	s.book.searched = search{at: now, among: among, complete: len(unknown) == 0}
	for owner, v := range a.views(ctx, g, pass, found) {
		s.Owners[owner] = a.ownerView(s.policy, owner, v)
	}
}

// deaf reports whether the resolver could tell of no owner name whether its answers
// validate: then it is of no use for a search either.
func (s *sight) deaf() bool {
	for _, v := range s.Owners {
		if v.Security != rollover.Indeterminate {
			return false
		}
	}
	return true
}

// exist asks which owner names have TLSA records, and says of which it is not known.
func (a *Agent) exist(ctx context.Context, pass Looker, among []tlsa.Owner) (found map[tlsa.Owner]bool, unknown map[tlsa.Owner]string) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	found, unknown = map[tlsa.Owner]bool{}, map[tlsa.Owner]string{}
	var mu sync.Mutex
	var wait errgroup.Group
	wait.SetLimit(asksAtOnce)
	for _, owner := range among {
		wait.Go(func() error {
			answer := pass.Ask(ctx, string(owner), dns.TypeTLSA)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case answer.Err != "":
				unknown[owner] = answer.Err
			case slices.ContainsFunc(answer.Records, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeTLSA }):
				found[owner] = true
			case answer.Security == lookup.Bogus: // another server of the zone may have some
				unknown[owner] = answer.Text
			}
			return nil
		})
	}
	_ = wait.Wait() // failures are part of what was seen
	return found, unknown
}

// candidates are the owner names of all certificates' names that are no
// endpoint's, of whatever group, and have no ledger yet. A wildcard stands for
// names that cannot be listed; those that are endpoints are known anyway.
func (a *Agent) candidates(g *group, s *sight) []tlsa.Owner {
	owners := map[tlsa.Owner]bool{}
	for _, name := range g.names {
		l, policy := g.state.Lineages[name], g.base.Lineages[name]
		for _, id := range append([]tlsa.ChainID{l.Live, l.Successor}, s.fresh[name]...) {
			chain := s.Chains[id]
			if chain == nil {
				chain = g.state.Chains[id]
			}
			if chain == nil {
				continue
			}
			for _, host := range chain.Names() {
				for _, port := range mailPorts() {
					owner, err := tlsa.OwnerOf(port, host)
					_, looked := s.Owners[owner]
					if err == nil && !looked && !a.listed[owner] && !policy.Ignores(owner) && !strings.HasPrefix(host, "*") {
						owners[owner] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(owners))
}
