package sim

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// meddle is what people do to zones and servers.
func (c *chaos) meddle() {
	owner := c.owners()[c.rng.IntN(len(c.owners()))]
	switch c.rng.IntN(15) {
	case 0:
		c.note("somebody deletes a record")
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset {
			if s.Denial() {
				return s
			}
			return s.Without(s.Associations[c.rng.IntN(len(s.Associations))])
		})
	case 1:
		c.note("somebody deletes all records")
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return tlsa.RRset{TTL: s.TTL} })
	case 3:
		c.note("somebody adds a record that nothing matches")
		a := c.KeyRecord(c.NewKey())
		a.Matching, a.Data = tlsa.SHA512, a.Data+a.Data
		c.Foreign[a] = true
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
		c.After(c.span(120), func() {
			delete(c.Foreign, a)
			c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.Without(a) })
		})
	case 2, 4:
		c.note("somebody changes the TTL")
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset {
			s.TTL = time.Duration(20+c.rng.IntN(100)) * time.Second
			return s
		})
	case 5:
		c.declareEmergency()
	case 6:
		c.note("somebody withdraws the records")
		for _, name := range c.lineages() {
			h := c.Hosts[name]
			if c.rng.IntN(2) == 0 {
				h.Orders = h.Orders.And(rollover.Orders{Withdraw: true})
				c.After(2*time.Minute+c.span(120), func() { h.Orders = h.Orders.And(rollover.Orders{Retry: true}) })
			}
		}
	case 7:
		h := c.Hosts[c.anyLineage()]
		n := h.Nodes[h.addresses()[c.rng.IntN(len(h.Nodes))]]
		n.Bare = []tlsa.ChainID{"", c.Issue(nil, Leaf{Names: []string{"localhost"}})}[c.rng.IntN(2)]
	case 8:
		c.loseJournal()
	case 9:
		c.serveOther()
	case 14:
		c.loseKeys()
	case 10:
		c.note("somebody adds a record")
		c.interfere(owner)
	default:
		c.restore(owner)
	}
}

// serveOther has somebody copy a pair of his own over the server's for a while.
func (c *chaos) serveOther() {
	h := c.Hosts[c.anyLineage()]
	n := h.Nodes[h.addresses()[c.rng.IntN(len(h.Nodes))]]
	if n.Gone || n.Stuck {
		return
	}
	c.note("somebody serves a pair of his own")
	n.give(c.Issue(c.cas[c.rng.IntN(2)], Leaf{}))
	c.After(c.span(60), func() {
		if !n.Gone {
			n.give(h.Installed)
		}
	})
}

// loseJournal takes the journal from a process that is not there: whatever was ours
// looks like somebody else's from then on.
func (c *chaos) loseJournal() {
	s, ok := c.mind.(*shell)
	if !ok {
		return
	}
	s.stop()
	s.host.ahead, s.host.synchronised = 0, true
	if err := s.lose(); err != nil {
		c.T.Fatal(err)
	}
	c.note("the journal is lost")
	clear(c.shown)
	for _, h := range c.Hosts {
		h.fickle = true // which of the pairs that lie about was wanted last is lost, too
		for _, n := range h.Nodes {
			if n.Gone { // nobody knows any more that clients still come there
				n.give(n.Served)
			}
		}
	}
	for _, r := range c.Zone {
		for _, a := range r.RRset.Associations {
			c.restored[a] = true
		}
	}
}

// loseKeys takes the keys that were made ahead.
func (c *chaos) loseKeys() {
	s, ok := c.mind.(*shell)
	if !ok {
		return
	}
	c.note("the keys are lost")
	for _, name := range c.lineages() {
		s.forget(name)
	}
}

// restore puts an old zone back.
func (c *chaos) restore(owner tlsa.Owner) {
	if len(c.past) == 0 {
		return
	}
	old := c.past[c.rng.IntN(len(c.past))][owner].RRset
	c.note("somebody restores an old zone: %v", old)
	for _, a := range c.Zone[owner].RRset.Missing() {
		delete(c.Foreign, a)
	}
	for _, a := range old.Associations {
		if !c.Zone[owner].RRset.Has(a) {
			c.restored[a] = true
		}
	}
	c.Edit(owner, func(tlsa.RRset) tlsa.RRset { return old })
}

// hopeless are records that people put there, and that only they can take out: of
// combinations that no scheme asks for, or for nobody who is or will be.
func (c *chaos) hopeless(s tlsa.RRset) []tlsa.Association {
	p := c.Policy.Lineages["mx1"].Scheme
	return slices.DeleteFunc(slices.Clone(s.Associations), func(a tlsa.Association) bool {
		ofScheme := p.EE && a.Params == tlsa.EE || p.TA && a.Params == tlsa.TA
		return !c.Foreign[a] && !c.restored[a] || ofScheme && (c.needed(a) || len(s.Associations) < 6)
	})
}

// needed reports whether a chain that has a part in some rollover matches a record.
func (c *chaos) needed(a tlsa.Association) bool {
	for name, h := range c.Hosts {
		l := c.State.Lineages[name]
		ids := []tlsa.ChainID{l.Live, l.Previous, l.Successor, l.Queued, l.Staged, h.Installed, c.newest[name]}
		for _, n := range h.Nodes {
			ids = append(ids, n.Served, n.old)
		}
		for _, id := range ids {
			if p := c.papers[id]; p != nil && (p.ee[a] || p.ta[a]) || h.Standby == a {
				return true
			}
		}
	}
	return false
}
