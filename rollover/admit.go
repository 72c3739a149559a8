package rollover

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// admit takes in the pairs that were handed in (DESIGN 4.9).
func (x *pass) admit() {
	for _, name := range x.names {
		l, view := x.Lineages[name], x.seen.Lineages[name]
		if view.StagedErr != "" {
			x.wait(name, reason(CodeStagedUnreadable, "the staged pair is not taken: %s", view.StagedErr))
		}
		for _, offer := range view.Offers {
			l = x.offered(name, l, offer)
		}
		l = x.makeWay(name, l)
		l = x.tryAgain(name, l)
		x.Lineages[name] = l
	}
}

// offered decides about one pair: live already, successor, queued, or refused.
func (x *pass) offered(name string, l Lineage, offer Offer) Lineage {
	id := offer.Chain
	if !offer.Explicit {
		if id == l.Staged {
			return l // seen before: only a change of the staged files counts
		}
		l.Staged = id
	}
	chain := x.chain(id)
	switch {
	case chain == nil:
		return l
	case id == l.Live:
		l.Successor, l.Queued, l.Held = "", "", nil // back to what is live: nothing is on its way any more
		return l
	case id == l.Successor || id == l.Queued:
		return l
	}
	if r := x.unfit(name, l, chain, offer); r != nil {
		x.wait(name, *r)
		x.tell(name, r.Code, Danger, r.Text)
		return l
	}
	switch {
	case l.Successor == "":
		l.Successor, l.Queued, l.Since = id, "", x.now
	case x.sameNeeds(name, l.Successor, id):
		l.Successor, l.Queued, l.Since = id, "", x.now
	case !x.shown(name, l):
		l.Successor, l.Since = id, x.now
	default:
		l.Queued = id
	}
	if l.Held != nil && l.Held.Chain != l.Successor {
		l.Held = nil
	}
	return l
}

// unfit says why a pair cannot become the successor.
func (x *pass) unfit(name string, l Lineage, chain *tlsa.Chain, offer Offer) *Reason {
	leaf := chain.Leaf()
	if live := x.chain(l.Live); live != nil && !offer.Explicit && leaf.NotBefore.Before(live.Leaf().NotBefore) {
		r := reason(CodeStagedOlder, "the staged certificate %s is older than the live one (hint: tlsaroll rollover %s --cert FILE --key FILE takes it all the same)", chain.ID().Short(), name)
		return &r
	}
	if !x.now.Before(leaf.NotAfter) {
		r := reason(CodeExpired, "certificate %s ended on %s", chain.ID().Short(), stamp(leaf.NotAfter))
		return &r
	}
	p := x.policy.Lineages[name]
	if _, err := p.Needs(chain); err != nil {
		r := reason(CodePairUnfit, "certificate %s does not fit scheme %s: %v", chain.ID().Short(), p.Scheme, err)
		return &r
	}
	if lacking := lackingNames(p, chain); p.Scheme.TA && len(lacking) > 0 {
		r := reason(CodeNameMissing, "certificate %s is not for %s, which DANE-TA asks for (RFC 7672, section 3.2.2)", chain.ID().Short(), strings.Join(lacking, ", "))
		return &r
	}
	return nil
}

// lackingNames are the endpoints' names that the leaf is not for.
func lackingNames(p LineagePolicy, chain *tlsa.Chain) []string {
	var lacking []string
	for _, e := range p.Endpoints {
		if !chain.IsFor(e.Host) && !slices.Contains(lacking, e.Host) {
			lacking = append(lacking, e.Host)
		}
	}
	return lacking
}

// sameNeeds reports whether two chains ask for the same records.
func (x *pass) sameNeeds(name string, a, b tlsa.ChainID) bool {
	return slices.Equal(x.needs(name, a), x.needs(name, b))
}

// needs are the associations of a chain under the lineage's scheme, nil where
// the chain is not known.
func (x *pass) needs(name string, id tlsa.ChainID) []tlsa.Association {
	chain := x.chain(id)
	if chain == nil {
		return nil
	}
	as, _ := x.policy.Lineages[name].Needs(chain) // an error leaves out what the chain cannot give
	return as
}

// shown reports whether some server gives a record that only the successor needs.
func (x *pass) shown(name string, l Lineage) bool {
	live := x.needs(name, l.Live)
	for _, a := range x.needs(name, l.Successor) {
		if slices.Contains(live, a) {
			continue
		}
		for _, owner := range x.ownersOf(name) {
			for _, s := range x.Owners[owner].Servers {
				if s.holds(a) > 0 {
					return true
				}
			}
		}
	}
	return false
}

// makeWay lets the queued pair take the place of a successor that is out of date or held.
func (x *pass) makeWay(name string, l Lineage) Lineage {
	chain := x.chain(l.Successor)
	if chain == nil || l.Swapping != nil {
		return l
	}
	expired := !x.now.Before(chain.Leaf().NotAfter)
	if held := l.Held != nil && l.Held.Chain == l.Successor; l.Queued != "" && (held || expired) {
		return x.promote(l)
	}
	if expired {
		x.tell(name, CodeExpired, Danger, "the successor "+chain.ID().Short()+" ended before it could be swapped in")
		l.Successor = ""
	}
	return l
}

// tryAgain lets go of a hold whose time has come, or that a person or a changed
// configuration lifts (DESIGN 4.10).
func (x *pass) tryAgain(name string, l Lineage) Lineage {
	if l.Held == nil {
		return l
	}
	orders, revision := x.seen.Lineages[name].Orders, x.policy.Lineages[name].Revision
	if orders.Retry || revision != l.Held.Revision || !x.now.Before(l.Held.Again) {
		held := *l.Held
		held.Again = x.now // lifted; the count of tries stays until a swap succeeds
		held.Revision = revision
		l.Held = &held
	}
	return l
}

// held reports whether the successor is held back now.
func (x *pass) held(l Lineage) bool {
	return l.Held != nil && l.Held.Chain == l.Successor && x.now.Before(l.Held.Again)
}
