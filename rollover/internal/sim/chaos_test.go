package sim

import (
	"crypto"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// chaos is a world in which everything goes wrong that may.
type chaos struct {
	*World
	people    bool // meddle
	cas       []*CA
	keys      map[string]crypto.Signer // by lineage: of the newest pair
	standby   map[string]crypto.Signer
	newest    map[string]tlsa.ChainID // offered last
	ahead     *rand.Rand              // what is published ahead; has its own, so that nothing else depends on it
	past      []map[tlsa.Owner]Stored // zones that may be restored
	restored  map[tlsa.Association]bool
	crowded   []tlsa.Association // others' records that fill an RRset
	desperate bool               // emergencies are declared here
	unwaited  int                // renewals with a standby key, in the end
	end       func()
}

// newChaos is the n-th world. In some of those with standby keys the rules are alone,
// where the next key comes with the renewal.
func newChaos(t testing.TB, n uint64, people bool) *chaos {
	w := NewWorld(t)
	w.name = fmt.Sprintf("world %d, people %t", n, people) // whichever test it is for
	rng := rand.New(rand.NewPCG(n, 1))
	c := &chaos{World: w, people: people, keys: map[string]crypto.Signer{}, standby: map[string]crypto.Signer{}, newest: map[string]tlsa.ChainID{}, restored: map[tlsa.Association]bool{}, end: func() {}}
	root := w.CA("Root", nil)
	c.cas = []*CA{w.CA("Issuer A", root), w.CA("Issuer B", root)}
	c.ahead = rand.New(rand.NewPCG(n, 2))
	schemes := []string{"ee", "ee+ta", "ta", "ee+standby"}
	scheme := schemes[rng.IntN(len(schemes))]
	nodes := map[string]bool{"192.0.2.1": false} // and whether they are other machines
	for i := range rng.IntN(3) {
		nodes[fmt.Sprintf("192.0.2.%d", 2+i)] = rng.IntN(2) == 0
	}
	endpoints := []rollover.Endpoint{smtp25(t)}
	if rng.IntN(3) == 0 {
		endpoints = append(endpoints, endpointAt(t, "submissions", 465, true))
	}
	if rng.IntN(3) == 0 {
		endpoints = append(endpoints, endpointAt(t, "imaps", 993, false))
	}
	if rng.IntN(5) == 0 {
		w.Target[Owner25(t)] = OwnerOf(t, 25, "tlsa.example.org")
	}
	w.stretch = time.Duration(rng.IntN(3)) * 30 * time.Second
	w.Policy.Timing.UnknownTTL = 2 * time.Minute // nobody here has a longer one
	c.lineage("mx1", scheme, "any", nodes, endpoints)
	if rng.IntN(3) == 0 {
		w.Hosts["mx1"].Algorithm = "ecdsa"
		c.lineage("mx1-rsa", scheme, "rsa", nodes, endpoints)
	}
	c.publishAhead()
	for _, s := range w.Servers {
		s.Lag = time.Duration(rng.IntN(20)) * time.Second
	}
	if scheme != "ee+standby" || rng.IntN(4) > 0 {
		clear(c.standby) // the agent makes its own
		for _, h := range c.Hosts {
			h.Standby = tlsa.Association{}
		}
		c.end = w.liveIn().end
	}
	w.Until(2*time.Minute, func() bool { return c.allSteady() })
	c.crowd()
	c.desperate = people && rng.IntN(5) == 0
	w.Careless, w.attributes, w.rng, w.seed = people, true, rng, n
	w.senders = time.Second / 10
	return c
}

func endpointAt(t testing.TB, scheme string, port uint16, smtp bool) rollover.Endpoint {
	return rollover.Endpoint{URL: scheme + "://" + MX, Host: MX, Port: port, SMTP: smtp, Owner: OwnerOf(t, port, MX)}
}

// lineage adds a lineage at some endpoints, adopted at first sight.
func (c *chaos) lineage(name, scheme, algorithm string, nodes map[string]bool, endpoints []rollover.Endpoint) {
	s, err := rollover.ParseScheme(scheme)
	if err != nil {
		c.T.Fatal(err)
	}
	c.Policy.Lineages[name] = rollover.LineagePolicy{Scheme: s, TA: rollover.Intermediate, TTL: time.Minute, Deadline: rollover.DeadlineAuto, Endpoints: endpoints}
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

// crowd has others hold records at a name of a lineage under ta, so that what is
// published ahead has no room at times.
func (c *chaos) crowd() {
	if !c.people || !c.Policy.Lineages["mx1"].Scheme.TA || c.ahead.IntN(2) == 0 {
		return
	}
	for range 4 + c.ahead.IntN(3) {
		a := c.KeyRecord(c.NewKey())
		c.Foreign[a] = true
		c.crowded = append(c.crowded, a)
	}
	c.note("others hold %d records", len(c.crowded))
	c.Edit(c.written(Owner25(c.T)), func(s tlsa.RRset) tlsa.RRset { return s.With(c.crowded...) })
}

// publishAhead has the operator write down other issuers to publish ahead under ta, of
// which some never issue; or none. A running process learns of it when it starts again.
func (c *chaos) publishAhead() {
	if len(c.cas) == 2 {
		c.cas = append(c.cas, c.CA("Issuer C", nil), c.CA("Issuer D", nil))
	}
	for _, name := range c.lineages() {
		p := c.Policy.Lineages[name]
		if !p.Scheme.TA {
			continue
		}
		p.Issuers = nil
		if c.ahead.IntN(3) > 0 {
			for _, ca := range c.cas {
				if c.ahead.IntN(2) == 0 {
					p.Issuers = append(p.Issuers, c.IssuerRecord(ca))
				}
			}
		}
		c.Policy.Lineages[name] = p
		c.note("%s: %d issuers are to be published ahead", name, len(p.Issuers))
	}
}

// reign lets things go wrong for d.
func (c *chaos) reign(d time.Duration) {
	for end := c.Now.Add(d); c.Now.Before(end); {
		c.Run(time.Duration(1+c.rng.IntN(c.pace())) * time.Second)
		c.past = append(c.past, c.Zone)
		c.strike()
		if c.ahead.IntN(12) == 0 {
			c.publishAhead()
		}
	}
}

// pace is how many seconds at most lie between two strikes: few where people meddle,
// and elsewhere as many as let rollovers come to an end.
func (c *chaos) pace() int {
	if c.people {
		return 20
	}
	return 60
}

// heal ends all that goes wrong, and checks how things end.
func (c *chaos) heal() {
	c.note("all is healed")
	c.rng, c.limited, c.NSErr, c.CopyErr, c.Security = nil, false, "", "", rollover.Secure
	for _, s := range c.Servers {
		s.Hidden, s.down, s.Stuck = false, false, false
	}
	for _, h := range c.Hosts {
		for id := range h.Stash {
			h.Stash[id] = ""
		}
		for _, n := range h.Nodes {
			n.Unseen, n.Stuck, n.Broken, n.Slow, n.Bare, n.linger = false, false, false, 0, "", 0
		}
	}
	for _, owner := range c.owners() {
		if len(c.Zone[owner].RRset.Without(c.crowded...).Associations) < len(c.Zone[owner].RRset.Associations) {
			c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.Without(c.crowded...) })
		}
		if hopeless := c.hopeless(c.Zone[owner].RRset); len(hopeless) > 0 {
			c.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.Without(hopeless...) })
		}
	}
	if s, ok := c.mind.(*shell); ok { // a process goes on by its own clock
		s.stop()
		s.host.ahead, s.host.synchronised, s.again = 0, true, c.Now
	}
	c.Run(5 * time.Minute) // until the last of what people put there is gone
	for _, name := range c.lineages() {
		c.Reload(name, Switching{}) // somebody restarts what was stuck
		c.Hosts[name].Orders = rollover.Orders{Retry: true}
	}
	for _, name := range c.lineages() {
		if c.Hosts[name].fickle { // the newest pair was turned away: there is a newer one
			c.newest[name] = c.Issue(c.cas[0], Leaf{Key: c.NewKey()})
			c.OfferTo(name, c.newest[name], true)
		}
	}
	c.Run(15 * time.Minute)
	for _, h := range c.Hosts {
		h.Orders = rollover.Orders{Retry: true}
	}
	c.Run(13 * time.Minute)
	switched := c.switches
	c.Run(2 * time.Minute)
	if c.switches != switched {
		c.T.Errorf("all is over, and pairs go on being switched\n%s", c.Story())
	}
	c.settled()
	c.renewAtOnce()
}

// renewAtOnce renews with each standby key: no cache can lack its record any more, so
// that the swap waits for none.
func (c *chaos) renewAtOnce() {
	s, ok := c.mind.(*shell)
	if !ok || c.T.Failed() {
		return
	}
	for _, name := range c.lineages() {
		key, made := s.keyring[name]
		if !c.Policy.Lineages[name].Scheme.Standby {
			continue
		}
		if !made || !rollover.StandbyReady(c.State, c.Policy, name, c.Now) {
			c.T.Errorf("all is over, and %s has no standby key that is ready\n%s", name, c.Story())
			continue
		}
		before, id := c.Hosts[name].Standby, c.Issue(c.cas[0], Leaf{Key: key.Signer()})
		c.newest[name] = id
		c.OfferTo(name, id, true)
		swapped := func() bool { l := c.State.Lineages[name]; return l.Live == id && l.Swapping == nil }
		if took := c.Until(20*time.Second, swapped); !swapped() {
			c.T.Errorf("%s is renewed with a standby key that is ready, and not swapped after %s\n%s", name, took, c.Story())
		}
		c.Until(time.Minute, func() bool {
			return c.Hosts[name].Standby != before && c.State.Lineages[name].Standby == c.Hosts[name].Standby
		})
		if next := c.Hosts[name].Standby; next == before || next != c.State.Lineages[name].Standby {
			c.T.Errorf("%s was renewed with its standby key, and the next one is not made\n%s", name, c.Story())
		}
		c.unwaited++
	}
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
		want = append(want, c.Policy.Lineages[name].Issuers...)
		if h.Standby != (tlsa.Association{}) {
			want = append(want, h.Standby)
		}
	}
	for _, owner := range c.owners() {
		c.minimal(owner, want)
	}
}

// minimal checks that just what is wanted stands at an owner name, and what people
// put there.
func (c *chaos) minimal(owner tlsa.Owner, want []tlsa.Association) {
	got := c.Zone[owner].RRset
	if lacking := got.Missing(want...); len(lacking) > 0 {
		c.T.Errorf("%s lacks %v\n%s", owner, lacking, c.Story())
	}
	for _, a := range tlsa.NewRRset(0, want...).Missing(got.Associations...) {
		if !c.Foreign[a] && !c.restored[a] {
			c.T.Errorf("%s holds %s for nobody\n%s", owner, a, c.Story())
		}
	}
}
