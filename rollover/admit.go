package rollover

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// admit takes in the pairs that were handed in, and a person's orders (DESIGN 4.9).
func (x *pass) admit() {
	for _, name := range x.names {
		l, view := x.Lineages[name], x.seen.Lineages[name]
		if view.StagedErr != "" {
			x.wait(name, reason(CodeStagedUnreadable, "the staged pair is not taken: %s", view.StagedErr))
		}
		l = x.obey(name, l, view.Orders)
		l = x.compromise(l, view)
		l = x.reconsider(name, l)
		for _, offer := range view.Offers {
			l = x.offered(name, l, offer)
		}
		l = x.makeWay(l)
		l = x.hurry(l, view.Orders)
		l = x.tryAgain(name, l)
		if l.Refused != nil && l.Successor == "" {
			x.refuse(name, l.Refused.Reason)
		}
		x.Lineages[name] = l
	}
}

// reconsider judges a refused pair again: it may have been the configuration
// that did not fit.
func (x *pass) reconsider(name string, l Lineage) Lineage {
	if l.Refused == nil {
		return l
	}
	id := l.Refused.Chain
	l.Refused = nil
	if id != l.Staged {
		return l // others are staged by now
	}
	return x.considered(name, l, Offer{Chain: id})
}

// offered decides about one pair. Staged files count only when they change.
func (x *pass) offered(name string, l Lineage, offer Offer) Lineage {
	switch {
	case x.chain(offer.Chain) == nil:
		return l
	case offer.Explicit:
		return x.considered(name, l, offer)
	case offer.Chain == l.Staged:
		return l
	}
	l.Staged, l.Refused = offer.Chain, nil
	return x.considered(name, l, offer)
}

// considered makes a pair the successor or queues it, or says why not. The live
// pair, staged again, means that nothing is on its way any more.
func (x *pass) considered(name string, l Lineage, offer Offer) Lineage {
	id := offer.Chain
	switch id {
	case l.Live:
		l.Queued = ""
		return x.promote(l)
	case l.Queued:
		if offer.Explicit && x.seen.Lineages[name].Orders.Emergency {
			return x.promote(l)
		}
		return l
	case l.Successor:
		return l
	}
	if r := x.unfit(name, l, offer); r != nil {
		if offer.Explicit {
			x.refuse(name, *r)
		} else {
			l.Refused = &Refused{id, *r}
		}
		return l
	}
	switch {
	case l.Successor == "", x.sameNeeds(name, l.Successor, id), !x.shown(name, l), offer.Explicit && x.seen.Lineages[name].Orders.Emergency:
		l.Queued = id
		return x.promote(l)
	}
	l.Queued = id
	return l
}

// refuse says why a pair is not taken. That the files hold an older pair is no
// trouble: someone chose another one.
func (x *pass) refuse(name string, r Reason) {
	if r.Code == CodeStagedOlder {
		x.tell(name, r.warning())
		return
	}
	x.wait(name, r)
}

// unfit says why a pair cannot become the successor.
func (x *pass) unfit(name string, l Lineage, offer Offer) *Reason {
	chain := x.chain(offer.Chain)
	leaf := chain.Leaf()
	if !offer.Explicit {
		for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued} {
			if other := x.chain(id); other != nil && leaf.NotBefore.Before(other.Leaf().NotBefore) {
				r := reason(CodeStagedOlder, "the staged certificate %s is older than %s (hint: tlsaroll rollover %s --cert FILE --key FILE takes it all the same)", chain.ID().Short(), id.Short(), name).of(chain.ID().Short())
				return &r
			}
		}
	}
	if !x.now.Before(leaf.NotAfter) {
		r := reason(CodeExpired, "certificate %s ended on %s", chain.ID().Short(), Stamp(leaf.NotAfter)).of(chain.ID().Short())
		return &r
	}
	if c := l.compromised(chain); c != nil {
		return c.against(chain)
	}
	p := x.policy.Lineages[name]
	if lacking := p.Uncovered(chain); p.Scheme.TA && len(lacking) > 0 {
		r := reason(CodeNameMissing, "certificate %s is not for %s, which DANE-TA asks for (RFC 7672, section 3.2.2)", chain.ID().Short(), strings.Join(lacking, ", ")).of(chain.ID().Short())
		return &r
	}
	if err := p.Fits(chain); err != nil {
		r := reason(CodePairUnfit, "certificate %s %v", chain.ID().Short(), err).of(chain.ID().Short())
		return &r
	}
	return nil
}

// sameNeeds reports whether two chains ask for the same records.
func (x *pass) sameNeeds(name string, a, b tlsa.ChainID) bool {
	return slices.Equal(x.needs(name, a), x.needs(name, b))
}

// needs are the associations of a chain under the lineage's scheme, nil where
// the chain is not known or the lineage is withdrawn. What the chain cannot give
// is left out.
func (x *pass) needs(name string, id tlsa.ChainID) []tlsa.Association {
	chain := x.chain(id)
	if chain == nil || !x.wantsRecords(name) {
		return nil
	}
	as, _ := x.policy.Lineages[name].Needs(chain)
	return as
}

// queue says of a pair behind a successor what it waits for.
func (x *pass) queue() {
	for _, name := range x.names {
		if l := x.Lineages[name]; l.Queued != "" {
			x.wait(name, reason(CodeQueued, "%s waits until %s, which goes first, is live", l.Queued.Short(), l.Successor.Short()).of(l.Queued.Short()))
		}
	}
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

// makeWay lets the queued pair, if there is one, take the place of a successor
// that is out of date or held.
func (x *pass) makeWay(l Lineage) Lineage {
	chain := x.chain(l.Successor)
	if chain == nil || l.Swapping != nil && l.Swapping.Step != SwapFailed {
		return l
	}
	held := l.Held != nil && l.Held.Chain == l.Successor
	switch expired := !x.now.Before(chain.Leaf().NotAfter); {
	case expired:
		l.Refused = &Refused{chain.ID(), reason(CodeExpired, "the successor %s ended before it could be swapped in", chain.ID().Short()).of(chain.ID().Short())}
		return x.promote(l)
	case held && l.Queued != "":
		return x.promote(l)
	}
	return l
}

// tryAgain lets go of a hold whose time has come, or that a person or a changed
// configuration lifts (DESIGN 4.10). The count of tries stays until a swap succeeds.
func (x *pass) tryAgain(name string, l Lineage) Lineage {
	if !x.held(l) {
		return l
	}
	orders, revision := x.seen.Lineages[name].Orders, x.policy.Lineages[name].Revision
	if orders.Retry || revision != l.Held.Revision {
		held := *l.Held
		held.Again, held.Revision = x.now, revision
		l.Held = &held
	}
	return l
}

// held reports whether the successor is held back now.
func (x *pass) held(l Lineage) bool {
	return l.Held != nil && l.Held.Chain == l.Successor && x.now.Before(l.Held.Again)
}

// emergency reports whether one is declared: then any match is enough to swap,
// and what is old is retired as soon as nobody presents it.
func (x *pass) emergency(name string) bool { return !x.Lineages[name].Emergency.IsZero() }
