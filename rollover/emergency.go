package rollover

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Compromised is a key that a person declared compromised: no certificate of it is
// taken any more.
type Compromised struct {
	SPKI  string    `json:"spki"`  // SHA-256 of its SubjectPublicKeyInfo
	Since time.Time `json:"since"` // when it was declared
	// Replay is the end of the last signature that was seen over its record: until then an
	// answer with that can be replayed (RFC 7671, section 13).
	Replay time.Time `json:"replay,omitzero"`
}

// compromised is the entry of a chain's key, nil where nobody declared it compromised.
func (l Lineage) compromised(chain *tlsa.Chain) *Compromised {
	if chain == nil {
		return nil
	}
	if i := slices.IndexFunc(l.Compromised, func(c Compromised) bool { return c.SPKI == chain.SPKI() }); i >= 0 {
		return &l.Compromised[i]
	}
	return nil
}

// Distrusts reports whether a record is the 3 1 1 of a key that was declared compromised.
func (l Lineage) Distrusts(record tlsa.Association) bool {
	return record.Params == tlsa.EE && slices.ContainsFunc(l.Compromised, func(c Compromised) bool { return c.SPKI == record.Data })
}

// compromise notes that a key is compromised, where a person says so of the live pair's
// and another one is there to follow, or has followed since. What is on its way with it
// is dropped.
func (x *pass) compromise(l Lineage, view LineageView) Lineage {
	live := x.chain(l.Live)
	if !view.Orders.Emergency || live == nil {
		return l
	}
	leaked := view.Orders.Leaked
	if leaked == "" {
		leaked = live.SPKI()
	}
	ids := []tlsa.ChainID{l.Live, l.Successor, l.Queued}
	for _, offer := range view.Offers {
		if offer.Explicit {
			ids = append(ids, offer.Chain)
		}
	}
	follows := slices.ContainsFunc(ids, func(id tlsa.ChainID) bool {
		chain := x.chain(id)
		return chain != nil && chain.SPKI() != leaked
	})
	if !follows {
		return l
	}
	if !slices.ContainsFunc(l.Compromised, func(c Compromised) bool { return c.SPKI == leaked }) {
		l.Compromised = append(slices.Clone(l.Compromised), Compromised{SPKI: leaked, Since: x.now})
	}
	if l.compromised(x.chain(l.Queued)) != nil {
		l.Queued = ""
	}
	if l.compromised(x.chain(l.Successor)) != nil {
		l = x.promote(l)
	}
	return l
}

// hurry lets the successor that an emergency is declared for be swapped in before caches
// are fresh, where a person wants that, too: it, and no later one.
func (x *pass) hurry(l Lineage, o Orders) Lineage {
	switch {
	case o.Emergency && o.AtOnce:
		l.AtOnce = l.Successor
	case l.AtOnce != l.Successor:
		l.AtOnce = ""
	}
	return l
}

// atOnce reports whether a chain is to be swapped in before caches are fresh.
func (x *pass) atOnce(name string, next *tlsa.Chain) bool {
	return x.emergency(name) && x.Lineages[name].AtOnce == next.ID()
}

// replays notes until when answers with the records of compromised keys are signed, and
// tells of it as long as one can be replayed.
func (x *pass) replays() {
	for _, name := range x.names {
		l := x.Lineages[name]
		if len(l.Compromised) == 0 {
			continue
		}
		l.Compromised = slices.Clone(l.Compromised)
		for i := range l.Compromised {
			c := &l.Compromised[i]
			record := tlsa.Association{Params: tlsa.EE, Data: c.SPKI}
			for _, owner := range x.ownersOf(name) {
				for _, s := range x.Owners[owner].Servers {
					if s.holds(record) > 0 {
						c.Replay = latest(c.Replay, s.SignedUntil)
					}
				}
			}
			if x.now.Before(c.Replay) {
				x.tell(name, warning(CodeReplay, c.SPKI[:8], "the key that was declared compromised at %s: a signed answer with its record can be replayed until %s, by whoever is between a sender and its resolver or name servers (RFC 7671, section 13)", Stamp(c.Since), Stamp(c.Replay)))
			}
		}
		x.Lineages[name] = l
	}
}

// A Price is what an emergency costs at one owner name.
type Price struct {
	Owner tlsa.Owner
	Until time.Time // until about then some cache may hold an answer without the new key
}

// Emergency says what it would cost to swap a lineage to another chain now: where answers
// may be held that do not match it in any way, and until when if all servers have its
// records from now on. Senders that hold one and enforce DANE defer mail as long. Next is
// nil for a chain that is not issued yet, of the standby key if there is one that
// is not in use, and of the same issuer.
func (s State) Emergency(lineage string, p Policy, next *tlsa.Chain, now time.Time) []Price {
	x := begin(s, Observation{}, p, now)
	var prices []Price
	for _, owner := range x.ownersOf(lineage) {
		l := x.Owners[owner]
		w := x.waits(&l)
		var until time.Time
		if l.Since.IsZero() {
			until = now.Add(x.policy.Timing.PublicationInterval(x.assumedTTL(owner)))
		}
		for _, v := range l.Versions {
			if !w.alive(v, now) || !v.Unknown && (v.RRset.Denial() || x.willMatch(lineage, v.RRset, next, owner)) {
				continue
			}
			if v.current() {
				v.By, v.InCopy, v.Left, v.Served = nil, false, time.Time{}, latest(v.Served, now)
			}
			until = latest(until, w.dead(v))
		}
		if !until.IsZero() {
			prices = append(prices, Price{owner, until})
		}
	}
	return prices
}

// willMatch reports whether some record of an RRset matches a chain, or will match one
// that is not issued yet.
func (x *pass) willMatch(name string, standing tlsa.RRset, next *tlsa.Chain, owner tlsa.Owner) bool {
	if next != nil {
		return !x.fails(standing, next, owner)
	}
	l, live := x.Lineages[name], x.chain(x.Lineages[name].Live)
	if l.Standby != (tlsa.Association{}) && (live == nil || l.Standby.Data != live.SPKI()) && standing.Has(l.Standby) {
		return true
	}
	if p := x.policy.Lineages[name]; p.Scheme.TA && live != nil {
		if anchor, err := p.anchor(live); err == nil {
			return standing.Has(anchor)
		}
	}
	return false
}

// AgainstKey is the reason why a pair is not taken whose key was declared compromised, nil
// where it was not.
func (s State) AgainstKey(lineage string, chain *tlsa.Chain) *Reason {
	if c := s.Lineages[lineage].compromised(chain); c != nil {
		return c.against(chain)
	}
	return nil
}

func (c *Compromised) against(chain *tlsa.Chain) *Reason {
	r := reason(CodeKeyCompromised, "certificate %s has the key that was declared compromised at %s (hint: make a new key, and a certificate of it)", chain.ID().Short(), Stamp(c.Since)).of(chain.ID().Short())
	return &r
}

// EmergencyGoesOn reports whether the key that an emergency was declared for is live no
// more, and another one is, while the emergency is not over: what it takes was done.
func (s State) EmergencyGoesOn(lineage string) bool {
	l := s.Lineages[lineage]
	live := s.Chains[l.Live]
	return !l.Emergency.IsZero() && live != nil && l.compromised(live) == nil && l.compromised(s.Chains[l.Previous]) != nil
}

// AgainstEmergency says why a chain cannot follow the live one in an emergency, ""
// if it can: its key must be another one. Nil is one that is to be issued, of
// another key.
func (s State) AgainstEmergency(lineage string, next *tlsa.Chain) string {
	l := s.Lineages[lineage]
	live := s.Chains[l.Live]
	switch c := l.compromised(next); {
	case live == nil:
		return "no pair is live yet (hint: tlsaroll adopt " + lineage + " first)"
	case next == nil:
		return ""
	case c != nil:
		return fmt.Sprintf("pair %s has a key that was declared compromised at %s (hint: make a new key, and a certificate of it)", next.ID().Short(), Stamp(c.Since))
	case next.SPKI() == live.SPKI():
		return fmt.Sprintf("pair %s has the same key as the live one, which is the compromised one (hint: make a new key, and a certificate of it)", next.ID().Short())
	}
	return ""
}

// Signed is until when answers are signed that servers give with the record of the
// live pair's key: until then they can be replayed. Zero where none was seen.
func (s State) Signed(lineage string, p Policy) time.Time {
	live := s.Chains[s.Lineages[lineage].Live]
	if live == nil {
		return time.Time{}
	}
	var until time.Time
	record := tlsa.Association{Params: tlsa.EE, Data: live.SPKI()}
	for _, e := range p.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			for _, server := range s.Owners[owner].Servers {
				if server.holds(record) > 0 {
					until = latest(until, server.SignedUntil)
				}
			}
		}
	}
	return until
}
