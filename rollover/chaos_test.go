package rollover

import (
	"crypto"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

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
			swaps += c.swaps
			passes += c.passes
			if *seed != 0 {
				t.Log(c.story())
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
	*world
	cas       []*ca
	keys      map[string]crypto.Signer // by lineage: of the newest pair
	standby   map[string]crypto.Signer
	newest    map[string]tlsa.ChainID // offered last
	past      []map[tlsa.Owner]stored // zones that may be restored
	restored  map[tlsa.Association]bool
	desperate bool // emergencies are declared here
}

func newChaos(t *testing.T, n uint64) *chaos {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(n, 1))
	c := &chaos{world: w, keys: map[string]crypto.Signer{}, standby: map[string]crypto.Signer{}, newest: map[string]tlsa.ChainID{}, restored: map[tlsa.Association]bool{}}
	root := w.ca("Root", nil)
	c.cas = []*ca{w.ca("Issuer A", root), w.ca("Issuer B", root)}
	scheme := []string{"ee", "ee+ta", "ta", "ee+standby"}[rng.IntN(4)]
	nodes := map[string]bool{"192.0.2.1:25": false} // and whether they are other machines
	for i := range rng.IntN(3) {
		nodes[fmt.Sprintf("192.0.2.%d:25", 2+i)] = rng.IntN(2) == 0
	}
	c.lineage("mx1", scheme, "any", nodes)
	if rng.IntN(3) == 0 {
		w.hosts["mx1"].algorithm = "ecdsa"
		c.lineage("mx1-rsa", scheme, "rsa", nodes)
	}
	for _, s := range w.servers {
		s.lag = time.Duration(rng.IntN(20)) * time.Second
	}
	w.until(2*time.Minute, func() bool { return c.allSteady() })
	c.desperate = rng.IntN(5) == 0
	w.careless, w.rng = true, rng
	return c
}

// lineage adds a lineage at the one endpoint, adopted at first sight.
func (c *chaos) lineage(name, scheme, algorithm string, nodes map[string]bool) {
	s, err := ParseScheme(scheme)
	if err != nil {
		c.t.Fatal(err)
	}
	c.policy.Lineages[name] = LineagePolicy{Scheme: s, TA: Intermediate, TTL: time.Minute, Deadline: DeadlineAuto, Endpoints: []Endpoint{smtp25(c.t)}}
	h := newHost(algorithm, slices.Sorted(maps.Keys(nodes))...)
	for address, remote := range nodes {
		h.nodes[address].remote = remote
	}
	c.hosts[name] = h
	c.keys[name] = c.newKey()
	id := c.issue(c.cas[0], leaf{key: c.keys[name]})
	c.newest[name] = id
	if s.Standby {
		c.standby[name] = c.newKey()
		h.standby = c.keyRecord(c.standby[name])
	}
	c.serving(name, id)
}

// reign lets things go wrong for d.
func (c *chaos) reign(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); {
		c.run(time.Duration(1+c.rng.IntN(20)) * time.Second)
		c.past = append(c.past, c.zone)
		c.strike()
	}
}

func (c *chaos) strike() {
	s := c.servers[c.rng.IntN(len(c.servers))]
	h := c.hosts[c.anyLineage()]
	n := h.nodes[h.addresses()[c.rng.IntN(len(h.nodes))]]
	toggle := func(what string, b *bool) {
		*b = true
		c.note("%s", what)
		c.after(c.span(90), func() { *b = false })
	}
	switch c.rng.IntN(29) {
	case 0, 1, 2, 3, 4:
		c.renew(c.anyLineage())
	case 5:
		toggle(s.name+" hides", &s.hidden)
	case 6:
		c.stop(s)
		toggle(s.name+" is down", &s.down)
	case 7:
		toggle(s.name+" is stuck", &s.stuck)
	case 8:
		c.changeServers()
	case 9:
		c.nsErr = "parent: timeout"
		c.after(c.span(60), func() { c.nsErr = "" })
	case 10:
		toggle("node unseen", &n.unseen)
	case 11:
		toggle("node stuck", &n.stuck)
	case 12:
		n.slow = c.span(30)
	case 13:
		toggle("node breaks", &n.broken)
	case 14:
		c.copyErr = "api: 503"
		c.after(c.span(60), func() { c.copyErr = "" })
	case 15:
		c.security = []Security{Bogus, Indeterminate}[c.rng.IntN(2)]
		c.after(c.span(60), func() { c.security = Secure })
	case 16:
		h.orders = Orders{Freeze: &Freeze{Until: c.now.Add(c.span(60))}}
	case 17:
		h.orders = Orders{Retry: true, TTL: time.Duration(c.rng.IntN(3)) * 30 * time.Second}
	case 18:
		c.leaveDNS(h.addresses()[c.rng.IntN(len(h.nodes))])
	case 19:
		c.note("another clock: every wait starts again")
		c.state, c.plan = Restart(c.state, c.now), Plan{}
	case 20:
		if c.desperate {
			c.weak = true // from here on any match is enough
			c.note("an emergency is declared")
			c.renewBy(c.anyLineage(), true)
			h.orders = Orders{Emergency: true}
		}
	case 22:
		if c.desperate {
			break // who declares an emergency does not go back
		}
		c.note("somebody wants the previous pair back")
		h.orders, h.fickle = h.orders.And(Orders{Rollback: true}), true
	case 23:
		c.note("somebody drops the successor")
		h.orders, h.fickle = h.orders.And(Orders{Cancel: true}), true
	case 24:
		c.note("somebody withdraws the records")
		h.orders = h.orders.And(Orders{Withdraw: true})
		c.after(2*time.Minute+c.span(120), func() { h.orders = h.orders.And(Orders{Retry: true}) })
	case 21:
		n.bare = []tlsa.ChainID{"", c.issue(nil, leaf{names: []string{"localhost"}})}[c.rng.IntN(2)]
	default:
		c.meddle()
	}
}

// leaveDNS takes an address out of DNS; clients that know it come for a minute
// more. Some time later it is back, with what is installed by then.
func (c *chaos) leaveDNS(address string) {
	var nodes []*node
	for _, h := range c.hosts {
		if len(h.nodes) == 1 || h.nodes[address].gone {
			return
		}
		nodes = append(nodes, h.nodes[address])
	}
	c.note("%s leaves DNS", address)
	back := 2*time.Minute + c.span(60)
	for _, n := range nodes {
		n.gone = true
		c.after(time.Minute+time.Second, func() { n.served, n.bare, n.lonely = "", "", true })
	}
	c.after(back, func() {
		for _, h := range c.hosts {
			n := h.nodes[address]
			n.gone, n.lonely, n.served = false, false, h.installed
		}
	})
}

func (c *chaos) span(seconds int) time.Duration {
	return time.Duration(1+c.rng.IntN(seconds)) * time.Second
}

func (c *chaos) anyLineage() string {
	names := slices.Sorted(maps.Keys(c.hosts))
	return names[c.rng.IntN(len(names))]
}

// renew offers another pair: with the old key, of another issuer, or the live
// one again.
func (c *chaos) renew(lineage string) { c.renewBy(lineage, c.rng.IntN(3) == 0) }

func (c *chaos) renewBy(lineage string, person bool) {
	if c.rng.IntN(12) == 0 && c.state.Lineages[lineage].Live != "" {
		c.newest[lineage] = c.state.Lineages[lineage].Live
		c.offerTo(lineage, c.newest[lineage], true)
		return
	}
	if c.rng.IntN(4) > 0 {
		c.keys[lineage] = c.newKey()
		if next := c.standby[lineage]; next != nil {
			c.keys[lineage], c.standby[lineage] = next, c.newKey()
			c.hosts[lineage].standby = c.keyRecord(c.standby[lineage])
		}
	}
	id := c.issue(c.cas[c.rng.IntN(2)], leaf{key: c.keys[lineage]})
	c.newest[lineage] = id
	c.offerTo(lineage, id, person)
}

func (c *chaos) changeServers() {
	var listed []*server
	for _, s := range c.servers {
		if s.off.IsZero() {
			listed = append(listed, s)
		}
	}
	if len(listed) > 1 && c.rng.IntN(2) == 0 {
		s := listed[c.rng.IntN(len(listed))]
		c.note("%s is no longer a name server", s.name)
		c.unlist(s)
		s.hidden = c.rng.IntN(2) == 0
		return
	}
	c.addServer()
}

// addServer adds a server that has what the primary had some time ago.
func (c *chaos) addServer() {
	c.serial++
	s := c.server(fmt.Sprintf("ns%d.example.net.", c.serial), c.span(20))
	s.address = fmt.Sprintf("198.51.100.%d", c.serial%250)
	c.note("%s is a new name server", s.name)
	if len(c.past) > 0 {
		s.zone = map[tlsa.Owner]stored{}
		for owner, r := range c.past[c.rng.IntN(len(c.past))] {
			s.zone[owner] = stored{r.rrset, c.now}
		}
	}
	s.pending = []transfer{{c.now.Add(s.lag), c.zone}}
}

// meddle is what people do to zones.
func (c *chaos) meddle() {
	owner := owner25(c.t)
	switch c.rng.IntN(7) {
	case 0:
		c.note("somebody deletes a record")
		c.edit(owner, func(s tlsa.RRset) tlsa.RRset {
			if s.Denial() {
				return s
			}
			return s.Without(s.Associations[c.rng.IntN(len(s.Associations))])
		})
	case 1:
		c.note("somebody deletes all records")
		c.edit(owner, func(s tlsa.RRset) tlsa.RRset { return tlsa.RRset{TTL: s.TTL} })
	case 2:
		c.note("somebody adds a record")
		a := c.keyRecord(c.newKey())
		c.foreign[a] = true
		c.edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
	case 3:
		c.note("somebody adds a record that nothing matches")
		a := c.keyRecord(c.newKey())
		a.Matching, a.Data = tlsa.SHA512, a.Data+a.Data
		c.foreign[a] = true
		c.edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
		c.after(c.span(120), func() {
			delete(c.foreign, a)
			c.edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.Without(a) })
		})
	case 4:
		c.note("somebody changes the TTL")
		c.edit(owner, func(s tlsa.RRset) tlsa.RRset {
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
	old := c.past[c.rng.IntN(len(c.past))][owner].rrset
	c.note("somebody restores an old zone: %v", old)
	for _, a := range c.zone[owner].rrset.Missing() {
		delete(c.foreign, a)
	}
	for _, a := range old.Associations {
		if !c.zone[owner].rrset.Has(a) {
			c.restored[a] = true
		}
	}
	c.edit(owner, func(tlsa.RRset) tlsa.RRset { return old })
}

// heal ends all that goes wrong, and checks how things end.
func (c *chaos) heal() {
	c.note("all is healed")
	c.rng, c.nsErr, c.copyErr, c.security = nil, "", "", Secure
	for _, s := range c.servers {
		s.hidden, s.down, s.stuck = false, false, false
	}
	for _, h := range c.hosts {
		for _, n := range h.nodes {
			n.unseen, n.stuck, n.broken, n.slow, n.bare = false, false, false, 0, ""
		}
	}
	c.edit(owner25(c.t), func(s tlsa.RRset) tlsa.RRset { return s.Without(c.hopeless(s)...) })
	c.run(5 * time.Minute) // until the last of what people put there is gone
	for name, h := range c.hosts {
		c.reload(name, switching{}) // somebody restarts what was stuck
		h.orders = Orders{Retry: true}
	}
	for name, h := range c.hosts {
		if h.fickle { // the newest pair was turned away: there is a newer one
			c.newest[name] = c.issue(c.cas[0], leaf{key: c.newKey()})
			c.offerTo(name, c.newest[name], true)
		}
	}
	c.run(15 * time.Minute)
	for _, h := range c.hosts {
		h.orders = Orders{Retry: true}
	}
	c.run(15 * time.Minute)
	c.settled()
}

// hopeless are records that people put there, of combinations that no scheme
// asks for: only they can take them out.
func (c *chaos) hopeless(s tlsa.RRset) []tlsa.Association {
	p := c.policy.Lineages["mx1"].Scheme
	return slices.DeleteFunc(slices.Clone(s.Associations), func(a tlsa.Association) bool {
		return p.EE && a.Params == tlsa.EE || p.TA && a.Params == tlsa.TA || !c.foreign[a] && !c.restored[a]
	})
}

func (c *chaos) allSteady() bool {
	for name := range c.hosts {
		if l := c.state.Lineages[name]; l.Live == "" || l.Phase != Steady {
			return false
		}
	}
	return true
}

// settled checks that the newest pair is live and served, and nothing stands
// that is not needed.
func (c *chaos) settled() {
	owner := owner25(c.t)
	var want []tlsa.Association
	for name, h := range c.hosts {
		l := c.state.Lineages[name]
		if l.Live != c.newest[name] || l.Phase != Steady || l.Successor != "" || l.Queued != "" || l.Swapping != nil {
			c.t.Errorf("%s is %s with %s live, want steady with %s\n%s", name, l.Phase, l.Live.Short(), c.newest[name].Short(), c.story())
			return
		}
		for address, n := range h.nodes {
			if n.served != l.Live {
				c.t.Errorf("%s presents %s, want %s\n%s", address, n.served.Short(), l.Live.Short(), c.story())
			}
		}
		for _, v := range l.Warnings {
			if v.Severity != Info {
				c.t.Errorf("all is over, and %s is told of %+v\n%s", name, v, c.story())
			}
		}
		as, err := c.policy.Lineages[name].Needs(c.chains[l.Live])
		if err != nil {
			c.t.Fatal(err)
		}
		want = append(want, as...)
		if h.standby != (tlsa.Association{}) {
			want = append(want, h.standby)
		}
	}
	got := c.zone[owner].rrset
	if lacking := got.Missing(want...); len(lacking) > 0 {
		c.t.Errorf("the zone lacks %v\n%s", lacking, c.story())
	}
	for _, a := range tlsa.NewRRset(0, want...).Missing(got.Associations...) {
		if !c.foreign[a] && !c.restored[a] {
			c.t.Errorf("the zone holds %s for nobody\n%s", a, c.story())
		}
	}
}
