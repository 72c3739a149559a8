package sim

import (
	"crypto"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var (
	worlds = flag.Int("worlds", 12, "how many random worlds to run")
	seed   = flag.Uint64("seed", 0, "run this random world only, and tell its story")
)

// TestRandomWorlds lets servers lag, vanish and come back, people delete, add,
// restore and re-TTL records, renewals overtake each other, reloads fail or come
// late, updates get lost and the process crash at any step. Whatever happens, no
// step of ours may turn a matching pair of answer and chain into a failing one;
// and once all is healed, each lineage ends steady, with its newest pair live and
// no record but those that are needed.
func TestRandomWorlds(t *testing.T) {
	swaps, passes, n := 0, 0, *worlds
	if testing.Short() {
		n = 3
	}
	for i := range uint64(n) {
		if *seed != 0 {
			i = *seed
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			c := newChaos(t, i)
			c.reign(20 * time.Minute)
			c.heal()
			swaps += c.Swaps
			passes += c.passes
			if *seed != 0 {
				t.Log(c.Story())
			}
		})
		if *seed != 0 {
			return
		}
	}
	t.Logf("%d worlds, %d passes, %d swaps", n, passes, swaps)
	if swaps < 3*n {
		t.Errorf("%d swaps in %d worlds: rules that never swap are safe and useless", swaps, n)
	}
}

// chaos is a world in which everything goes wrong that may.
type chaos struct {
	*World
	cas       []*CA
	keys      map[string]crypto.Signer // by lineage: of the newest pair
	standby   map[string]crypto.Signer
	newest    map[string]tlsa.ChainID // offered last
	past      []map[tlsa.Owner]Stored // zones that may be restored
	restored  map[tlsa.Association]bool
	desperate bool // emergencies are declared here
}

func newChaos(t *testing.T, n uint64) *chaos {
	w := NewWorld(t)
	rng := rand.New(rand.NewPCG(n, 1))
	c := &chaos{World: w, keys: map[string]crypto.Signer{}, standby: map[string]crypto.Signer{}, newest: map[string]tlsa.ChainID{}, restored: map[tlsa.Association]bool{}}
	root := w.CA("Root", nil)
	c.cas = []*CA{w.CA("Issuer A", root), w.CA("Issuer B", root)}
	scheme := []string{"ee", "ee+ta", "ta", "ee+standby"}[rng.IntN(4)]
	nodes := map[string]bool{"192.0.2.1:25": false} // and whether they are other machines
	for i := range rng.IntN(3) {
		nodes[fmt.Sprintf("192.0.2.%d:25", 2+i)] = rng.IntN(2) == 0
	}
	c.lineage("mx1", scheme, "any", nodes)
	if rng.IntN(3) == 0 {
		w.Hosts["mx1"].Algorithm = "ecdsa"
		c.lineage("mx1-rsa", scheme, "rsa", nodes)
	}
	for _, s := range w.Servers {
		s.Lag = time.Duration(rng.IntN(20)) * time.Second
	}
	w.Until(2*time.Minute, func() bool { return c.allSteady() })
	c.desperate = rng.IntN(5) == 0
	w.Careless, w.rng = true, rng
	return c
}

// lineage adds a lineage at the one endpoint, adopted at first sight.
func (c *chaos) lineage(name, scheme, algorithm string, nodes map[string]bool) {
	s, err := rollover.ParseScheme(scheme)
	if err != nil {
		c.T.Fatal(err)
	}
	c.Policy.Lineages[name] = rollover.LineagePolicy{Scheme: s, TA: rollover.Intermediate, TTL: time.Minute, Deadline: rollover.DeadlineAuto, Endpoints: []rollover.Endpoint{smtp25(c.T)}}
	h := NewHost(algorithm, slices.Sorted(maps.Keys(nodes))...)
	for address, remote := range nodes {
		h.Nodes[address].Remote = remote
	}
	c.Hosts[name] = h
	c.keys[name] = c.NewKey()
	id := c.Issue(c.cas[0], Leaf{Key: c.keys[name]})
	c.newest[name] = id
	if s.Standby {
		c.standby[name] = c.NewKey()
		h.Standby = c.KeyRecord(c.standby[name])
	}
	c.Serving(name, id)
}

// reign lets things go wrong for d.
func (c *chaos) reign(d time.Duration) {
	for end := c.Now.Add(d); c.Now.Before(end); {
		c.Run(time.Duration(1+c.rng.IntN(20)) * time.Second)
		c.past = append(c.past, c.Zone)
		c.strike()
	}
}

func (c *chaos) strike() {
	s := c.Servers[c.rng.IntN(len(c.Servers))]
	h := c.Hosts[c.anyLineage()]
	n := h.Nodes[h.addresses()[c.rng.IntN(len(h.Nodes))]]
	toggle := func(what string, b *bool) {
		*b = true
		c.note("%s", what)
		c.after(c.span(90), func() { *b = false })
	}
	switch c.rng.IntN(29) {
	case 0, 1, 2, 3, 4:
		c.renew(c.anyLineage())
	case 5:
		toggle(s.Name+" hides", &s.Hidden)
	case 6:
		c.Stop(s)
		toggle(s.Name+" is down", &s.down)
	case 7:
		toggle(s.Name+" is stuck", &s.Stuck)
	case 8:
		c.changeServers()
	case 9:
		c.NSErr = "parent: timeout"
		c.after(c.span(60), func() { c.NSErr = "" })
	case 10:
		toggle("node unseen", &n.Unseen)
	case 11:
		toggle("node stuck", &n.Stuck)
	case 12:
		n.Slow = c.span(30)
	case 13:
		toggle("node breaks", &n.Broken)
	case 14:
		c.CopyErr = "api: 503"
		c.after(c.span(60), func() { c.CopyErr = "" })
	case 15:
		c.Security = []rollover.Security{rollover.Bogus, rollover.Indeterminate}[c.rng.IntN(2)]
		c.after(c.span(60), func() { c.Security = rollover.Secure })
	case 16:
		h.Orders = rollover.Orders{Freeze: &rollover.Freeze{Until: c.Now.Add(c.span(60))}}
	case 17:
		h.Orders = rollover.Orders{Retry: true, TTL: time.Duration(c.rng.IntN(3)) * 30 * time.Second}
	case 18:
		c.leaveDNS(h.addresses()[c.rng.IntN(len(h.Nodes))])
	case 19:
		c.note("another clock: every wait starts again")
		c.State, c.Plan = rollover.Restart(c.State, c.Now), rollover.Plan{}
	case 20:
		if c.desperate {
			c.Weak = true // from here on any match is enough
			c.note("an emergency is declared")
			c.renewBy(c.anyLineage(), true)
			h.Orders = rollover.Orders{Emergency: true}
		}
	case 22:
		if c.desperate {
			break // who declares an emergency does not go back
		}
		c.note("somebody wants the previous pair back")
		h.Orders, h.fickle = h.Orders.And(rollover.Orders{Rollback: true}), true
	case 23:
		c.note("somebody drops the successor")
		h.Orders, h.fickle = h.Orders.And(rollover.Orders{Cancel: true}), true
	case 24:
		c.note("somebody withdraws the records")
		h.Orders = h.Orders.And(rollover.Orders{Withdraw: true})
		c.after(2*time.Minute+c.span(120), func() { h.Orders = h.Orders.And(rollover.Orders{Retry: true}) })
	case 21:
		n.Bare = []tlsa.ChainID{"", c.Issue(nil, Leaf{Names: []string{"localhost"}})}[c.rng.IntN(2)]
	default:
		c.meddle()
	}
}

// leaveDNS takes an address out of DNS; clients that know it come for a minute
// more. Some time later it is back, with what is installed by then.
func (c *chaos) leaveDNS(address string) {
	var nodes []*Node
	for _, h := range c.Hosts {
		if len(h.Nodes) == 1 || h.Nodes[address].Gone {
			return
		}
		nodes = append(nodes, h.Nodes[address])
	}
	c.note("%s leaves DNS", address)
	back := 2*time.Minute + c.span(60)
	for _, n := range nodes {
		n.Gone = true
		c.after(time.Minute+time.Second, func() { n.Served, n.Bare, n.lonely = "", "", true })
	}
	c.after(back, func() {
		for _, h := range c.Hosts {
			n := h.Nodes[address]
			n.Gone, n.lonely, n.Served = false, false, h.Installed
		}
	})
}

func (c *chaos) span(seconds int) time.Duration {
	return time.Duration(1+c.rng.IntN(seconds)) * time.Second
}

func (c *chaos) anyLineage() string {
	names := slices.Sorted(maps.Keys(c.Hosts))
	return names[c.rng.IntN(len(names))]
}

// renew offers another pair: with the old key, of another issuer, or the live
// one again.
func (c *chaos) renew(lineage string) { c.renewBy(lineage, c.rng.IntN(3) == 0) }

func (c *chaos) renewBy(lineage string, person bool) {
	if c.rng.IntN(12) == 0 && c.State.Lineages[lineage].Live != "" {
		c.newest[lineage] = c.State.Lineages[lineage].Live
		c.OfferTo(lineage, c.newest[lineage], true)
		return
	}
	if c.rng.IntN(4) > 0 {
		c.keys[lineage] = c.NewKey()
		if next := c.standby[lineage]; next != nil {
			c.keys[lineage], c.standby[lineage] = next, c.NewKey()
			c.Hosts[lineage].Standby = c.KeyRecord(c.standby[lineage])
		}
	}
	id := c.Issue(c.cas[c.rng.IntN(2)], Leaf{Key: c.keys[lineage]})
	c.newest[lineage] = id
	c.OfferTo(lineage, id, person)
}

func (c *chaos) changeServers() {
	var listed []*Server
	for _, s := range c.Servers {
		if s.Off.IsZero() {
			listed = append(listed, s)
		}
	}
	if len(listed) > 1 && c.rng.IntN(2) == 0 {
		s := listed[c.rng.IntN(len(listed))]
		c.note("%s is no longer a name server", s.Name)
		c.Unlist(s)
		s.Hidden = c.rng.IntN(2) == 0
		return
	}
	c.addServer()
}

// addServer adds a server that has what the primary had some time ago.
func (c *chaos) addServer() {
	c.serial++
	s := c.Server(fmt.Sprintf("ns%d.example.net.", c.serial), c.span(20))
	s.Address = fmt.Sprintf("198.51.100.%d", c.serial%250)
	c.note("%s is a new name server", s.Name)
	if len(c.past) > 0 {
		s.zone = map[tlsa.Owner]Stored{}
		for owner, r := range c.past[c.rng.IntN(len(c.past))] {
			s.zone[owner] = Stored{r.RRset, c.Now}
		}
	}
	s.pending = []transfer{{c.Now.Add(s.Lag), c.Zone}}
}

// meddle is what people do to zones.
func (c *chaos) meddle() {
	owner := Owner25(c.T)
	switch c.rng.IntN(7) {
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
	case 2:
		c.note("somebody adds a record")
		a := c.KeyRecord(c.NewKey())
		c.Foreign[a] = true
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
	case 3:
		c.note("somebody adds a record that nothing matches")
		a := c.KeyRecord(c.NewKey())
		a.Matching, a.Data = tlsa.SHA512, a.Data+a.Data
		c.Foreign[a] = true
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
		c.after(c.span(120), func() {
			delete(c.Foreign, a)
			c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.Without(a) })
		})
	case 4:
		c.note("somebody changes the TTL")
		c.Edit(owner, func(s tlsa.RRset) tlsa.RRset {
			s.TTL = time.Duration(20+c.rng.IntN(100)) * time.Second
			return s
		})
	default:
		c.restore(owner)
	}
}

func withTTL(s tlsa.RRset) tlsa.RRset {
	if s.TTL == 0 {
		s.TTL = time.Minute
	}
	return s
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

// heal ends all that goes wrong, and checks how things end.
func (c *chaos) heal() {
	c.note("all is healed")
	c.rng, c.NSErr, c.CopyErr, c.Security = nil, "", "", rollover.Secure
	for _, s := range c.Servers {
		s.Hidden, s.down, s.Stuck = false, false, false
	}
	for _, h := range c.Hosts {
		for _, n := range h.Nodes {
			n.Unseen, n.Stuck, n.Broken, n.Slow, n.Bare = false, false, false, 0, ""
		}
	}
	c.Edit(Owner25(c.T), func(s tlsa.RRset) tlsa.RRset { return s.Without(c.hopeless(s)...) })
	c.Run(5 * time.Minute) // until the last of what people put there is gone
	for name, h := range c.Hosts {
		c.Reload(name, Switching{}) // somebody restarts what was stuck
		h.Orders = rollover.Orders{Retry: true}
	}
	for name, h := range c.Hosts {
		if h.fickle { // the newest pair was turned away: there is a newer one
			c.newest[name] = c.Issue(c.cas[0], Leaf{Key: c.NewKey()})
			c.OfferTo(name, c.newest[name], true)
		}
	}
	c.Run(15 * time.Minute)
	for _, h := range c.Hosts {
		h.Orders = rollover.Orders{Retry: true}
	}
	c.Run(15 * time.Minute)
	c.settled()
}

// hopeless are records that people put there, of combinations that no scheme
// asks for: only they can take them out.
func (c *chaos) hopeless(s tlsa.RRset) []tlsa.Association {
	p := c.Policy.Lineages["mx1"].Scheme
	return slices.DeleteFunc(slices.Clone(s.Associations), func(a tlsa.Association) bool {
		return p.EE && a.Params == tlsa.EE || p.TA && a.Params == tlsa.TA || !c.Foreign[a] && !c.restored[a]
	})
}

func (c *chaos) allSteady() bool {
	for name := range c.Hosts {
		if l := c.State.Lineages[name]; l.Live == "" || l.Phase != rollover.Steady {
			return false
		}
	}
	return true
}

// settled checks that the newest pair is live and served, and nothing stands
// that is not needed.
func (c *chaos) settled() {
	owner := Owner25(c.T)
	var want []tlsa.Association
	for name, h := range c.Hosts {
		l := c.State.Lineages[name]
		if l.Live != c.newest[name] || l.Phase != rollover.Steady || l.Successor != "" || l.Queued != "" || l.Swapping != nil {
			c.T.Errorf("%s is %s with %s live, want steady with %s\n%s", name, l.Phase, l.Live.Short(), c.newest[name].Short(), c.Story())
			return
		}
		for address, n := range h.Nodes {
			if n.Served != l.Live {
				c.T.Errorf("%s presents %s, want %s\n%s", address, n.Served.Short(), l.Live.Short(), c.Story())
			}
		}
		for _, v := range l.Warnings {
			if v.Severity != rollover.Info {
				c.T.Errorf("all is over, and %s is told of %+v\n%s", name, v, c.Story())
			}
		}
		as, err := c.Policy.Lineages[name].Needs(c.Chains[l.Live])
		if err != nil {
			c.T.Fatal(err)
		}
		want = append(want, as...)
		if h.Standby != (tlsa.Association{}) {
			want = append(want, h.Standby)
		}
	}
	got := c.Zone[owner].RRset
	if lacking := got.Missing(want...); len(lacking) > 0 {
		c.T.Errorf("the zone lacks %v\n%s", lacking, c.Story())
	}
	for _, a := range tlsa.NewRRset(0, want...).Missing(got.Associations...) {
		if !c.Foreign[a] && !c.restored[a] {
			c.T.Errorf("the zone holds %s for nobody\n%s", a, c.Story())
		}
	}
}
