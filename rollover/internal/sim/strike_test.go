package sim

import (
	"crypto"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// strike lets one thing go wrong, or a renewal come: half of the time that. Where
// nobody meddles, it is nothing but what happens to careful people.
func (c *chaos) strike() {
	switch {
	case c.rng.IntN(2) == 0:
		c.renew(c.anyLineage())
	case c.people && c.rng.IntN(2) == 0:
		c.meddle()
	case c.rng.IntN(4) == 0:
		c.order()
	default:
		c.fail()
	}
}

// fail has something of the world fail for a while.
func (c *chaos) fail() {
	s := c.Servers[c.rng.IntN(len(c.Servers))]
	h := c.Hosts[c.anyLineage()]
	address := h.addresses()[c.rng.IntN(len(h.Nodes))]
	n := h.Nodes[address]
	toggle := func(what string, b *bool) {
		*b = true
		c.note("%s", what)
		c.After(c.span(90), func() { *b = false })
	}
	switch c.rng.IntN(17) {
	case 0:
		toggle(s.Name+" hides", &s.Hidden)
	case 1:
		c.Stop(s)
		toggle(s.Name+" is down", &s.down)
	case 2:
		toggle(s.Name+" is stuck", &s.Stuck)
		if c.rng.IntN(2) == 0 {
			c.cutOff(s)
		}
		if c.rng.IntN(3) == 0 { // somebody sees it, and takes it out
			c.later(c.span(40), func() { c.dismiss(s) })
		}
	case 3, 4:
		c.changeServers()
	case 5:
		c.NSErr = "parent: timeout"
		c.After(c.span(60), func() { c.NSErr = "" })
	case 6:
		toggle("node unseen", &n.Unseen)
	case 7:
		toggle("node stuck", &n.Stuck)
		if c.rng.IntN(3) == 0 { // somebody sees it, and takes it out
			c.later(c.span(40), func() { c.leaveDNS(address) })
		}
	case 8:
		n.Slow = c.span(30)
	case 9:
		if !c.people { // where room is short, records leave as soon as three looks in a row saw no old worker
			n.linger = c.span(20)
		}
	case 10:
		toggle("node breaks", &n.Broken)
	case 11:
		c.CopyErr = "api: 503"
		c.After(c.span(60), func() { c.CopyErr = "" })
	case 12:
		c.Security = []rollover.Security{rollover.Bogus, rollover.Indeterminate}[c.rng.IntN(2)]
		c.After(c.span(60), func() { c.Security = rollover.Secure })
	case 16:
		toggle("the provider limits the rate", &c.limited)
	case 13:
		c.leaveDNS(address)
	case 14:
		if id := c.State.Lineages[c.lineages()[0]].Successor; id != "" {
			c.note("the stash cannot be read")
			h.Stash[id] = "input/output error"
			c.After(c.span(60), func() { h.Stash[id] = "" })
		}
	default:
		c.otherClock()
	}
}

// cutOff keeps a server from us as well as from the primary, for longer than a silence
// that does not count; others still reach it.
func (c *chaos) cutOff(s *Server) {
	c.note("%s is cut off", s.Name)
	s.Hidden, s.Stuck = true, true
	c.After(time.Minute+c.span(180), func() { s.Hidden, s.Stuck = false, false })
}

// otherClock sets the host's clock while the process goes on, or takes it from it.
func (c *chaos) otherClock() {
	switch m := c.mind.(type) {
	case *rules:
		c.note("another clock: every wait starts again")
		c.State, c.Plan = rollover.Restart(c.State, c.Now), rollover.Plan{}
	case *shell:
		m.setClock()
		c.note("the wall clock is set: %s ahead, synchronised %t", m.host.ahead, m.host.synchronised)
	}
}

// order is a command that somebody gives.
func (c *chaos) order() {
	h := c.Hosts[c.anyLineage()]
	switch c.rng.IntN(4) {
	case 0:
		h.Orders = rollover.Orders{Freeze: &rollover.Freeze{Until: c.Now.Add(c.span(60))}}
	case 1:
		h.Orders = rollover.Orders{Retry: true, TTL: time.Duration(c.rng.IntN(3)) * 30 * time.Second}
	case 2:
		if c.Weak {
			return // who declares an emergency does not go back
		}
		c.note("somebody wants the previous pair back")
		h.Orders, h.fickle = h.Orders.And(rollover.Orders{Rollback: true}), true
	case 3:
		c.note("somebody drops the successor")
		h.Orders, h.fickle = h.Orders.And(rollover.Orders{Cancel: true}), true
	}
}

// leaveDNS takes an address out of DNS; clients that know it come for a minute
// more. Some time later it is back, with what is installed by then. One that came back
// and that no look has come across stays: what comes and goes between two looks nobody
// can know of, and a swap without a wait is soon done.
func (c *chaos) leaveDNS(address string) {
	var nodes []*Node
	for _, name := range c.lineages() {
		h := c.Hosts[name]
		if len(h.Nodes) == 1 || h.Nodes[address].Gone || h.Nodes[address].unnoticed {
			return
		}
		nodes = append(nodes, h.Nodes[address])
	}
	c.note("%s leaves DNS", address)
	back := 2*time.Minute + c.span(60)
	for _, n := range nodes {
		n.Gone = true
		c.After(time.Minute+time.Second, func() { n.Served, n.Bare, n.old, n.lonely = "", "", "", true })
	}
	c.After(back, func() {
		for _, h := range c.Hosts {
			n := h.Nodes[address]
			n.Gone, n.lonely = false, false
			n.give(h.Installed)
		}
	})
}

func (c *chaos) span(seconds int) time.Duration {
	return time.Duration(1+c.rng.IntN(seconds)) * time.Second
}

func (c *chaos) anyLineage() string { return c.lineages()[c.rng.IntN(len(c.Hosts))] }

// renew offers another pair: with the old key, of another issuer, or the live
// one again.
func (c *chaos) renew(lineage string) { c.renewBy(lineage, c.rng.IntN(3) == 0) }

func (c *chaos) renewBy(lineage string, person bool) {
	if c.rng.IntN(12) == 0 && c.State.Lineages[lineage].Live != "" {
		c.newest[lineage] = c.State.Lineages[lineage].Live
		c.OfferTo(lineage, c.newest[lineage], true)
		return
	}
	if key, made := c.made(lineage); made && c.rng.IntN(3) > 0 {
		c.keys[lineage] = key
	} else if c.rng.IntN(4) > 0 {
		c.keys[lineage] = c.NewKey()
		if next := c.standby[lineage]; next != nil {
			c.keys[lineage], c.standby[lineage] = next, c.NewKey()
			c.Hosts[lineage].Standby = c.KeyRecord(c.standby[lineage])
		}
	}
	id := c.Issue(c.cas[c.rng.IntN(2)], Leaf{Key: c.keys[lineage]})
	c.newest[lineage] = id
	c.OfferTo(lineage, id, person)
	if c.people && !person && c.rng.IntN(20) == 0 {
		c.readsStaged(lineage, id)
	}
}

// made is the key that the agent made ahead.
func (c *chaos) made(lineage string) (crypto.Signer, bool) {
	s, ok := c.mind.(*shell)
	if !ok {
		return nil, false
	}
	key, made := s.keyring[lineage]
	if !made {
		return nil, false
	}
	return key.Signer(), true
}

// readsStaged has a server read the ACME client's files itself.
func (c *chaos) readsStaged(lineage string, id tlsa.ChainID) {
	h := c.Hosts[lineage]
	n := h.Nodes[h.addresses()[0]]
	if n.Gone || n.Stuck {
		return
	}
	c.note("a server of %s reads the staged %s itself", lineage, id.Short())
	n.give(id)
}

func (c *chaos) changeServers() {
	listed := c.listed()
	switch {
	case c.rng.IntN(2) == 0:
		c.dismiss(listed[c.rng.IntN(len(listed))])
	case len(listed) < 5:
		c.addServer()
	}
}

// later lets something go wrong in a while, unless all is healed by then.
func (c *chaos) later(d time.Duration, what func()) {
	c.After(d, func() {
		if c.rng != nil {
			what()
		}
	})
}

func (c *chaos) listed() []*Server {
	return slices.DeleteFunc(slices.Clone(c.Servers), func(s *Server) bool { return !s.Off.IsZero() })
}

// dismiss takes a server out of the NS records, if it is not the last one.
func (c *chaos) dismiss(s *Server) {
	if listed := c.listed(); len(listed) == 1 || !slices.Contains(listed, s) {
		return
	}
	c.note("%s is no longer a name server", s.Name)
	c.Unlist(s)
	s.Hidden = s.Hidden || c.rng.IntN(2) == 0
}

// addServer adds a server that has what the primary has, or what another one has that it
// copies; where people are careless, what the primary had some time ago.
func (c *chaos) addServer() {
	c.serial++
	s := c.Server(fmt.Sprintf("ns%d.example.net.", c.serial), c.span(20))
	s.Address = fmt.Sprintf("198.51.%d.%d", c.serial/250%250, c.serial%250)
	c.note("%s is a new name server", s.Name)
	s.zone = maps.Clone(c.Zone)
	if from := c.Servers[c.rng.IntN(len(c.Servers))]; from != s && from.zone != nil {
		s.zone = maps.Clone(from.zone)
	}
	if c.people && len(c.past) > 0 {
		s.zone = map[tlsa.Owner]Stored{}
		for owner, r := range c.past[c.rng.IntN(len(c.past))] {
			s.zone[owner] = newStored(r.RRset, c.Now, true)
		}
	}
	s.pending = []transfer{{c.Now.Add(s.Lag), c.Zone}}
}

// declareEmergency has a key compromised, where emergencies are declared at all.
func (c *chaos) declareEmergency() {
	if !c.desperate {
		return
	}
	c.Weak = true // from here on any match is enough
	c.note("an emergency is declared")
	lineage := c.anyLineage()
	c.renewBy(lineage, true)
	c.Hosts[lineage].Orders = rollover.Orders{Emergency: true}
}

// owners are the names where records stand, sorted.
func (c *chaos) owners() []tlsa.Owner {
	var out []tlsa.Owner
	for _, owner := range c.endpointOwners() {
		out = append(out, c.written(owner))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
