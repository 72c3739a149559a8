package rollover

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// host is what a lineage has on its machines.
type host struct {
	algorithm string
	live      tlsa.ChainID // the link
	installed tlsa.ChainID
	nodes     map[string]*node // by address
	offers    []Offer
	orders    Orders
	fickle    bool // somebody turned a newer pair away
	standby   tlsa.Association
	why       switching               // of what is installed
	stash     map[tlsa.ChainID]string // and why an entry cannot be read
}

// node is one address of a lineage's endpoints.
type node struct {
	served tlsa.ChainID  // "" has no TLS
	bare   tlsa.ChainID  // served where no name is asked for; "": the same
	stuck  bool          // ignores reloads
	broken bool          // has no TLS after the next reload
	unseen bool          // does not answer us
	remote bool          // is another machine: takes what is installed in its own time
	slow   time.Duration // until a reload is done
	coming tlsa.ChainID  // will be served when it is
	gone   bool          // not in DNS any more
	lonely bool          // nor in any cache: no client comes
}

func newHost(algorithm string, addresses ...string) *host {
	h := &host{algorithm: algorithm, nodes: map[string]*node{}, stash: map[tlsa.ChainID]string{}}
	for _, a := range addresses {
		h.nodes[a] = &node{}
	}
	return h
}

func (h *host) addresses() []string { return slices.Sorted(maps.Keys(h.nodes)) }

// node gives the only or first node of lineage mx1.
func (w *world) node() *node {
	h := w.hosts["mx1"]
	return h.nodes[h.addresses()[0]]
}

// serving makes the chain the one that a lineage installed and serves, with its
// records published everywhere. Nothing is adopted yet.
func (w *world) serving(lineage string, id tlsa.ChainID) {
	w.t.Helper()
	h := w.hosts[lineage]
	h.installed, h.live = id, ""
	for _, n := range h.nodes {
		n.served = id
	}
	h.stash[id] = ""
	as, err := w.policy.Lineages[lineage].Needs(w.chains[id])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			w.edit(w.written(owner), func(s tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, append(s.Associations, as...)...) })
		}
	}
	w.everywhere()
	clear(w.caches)
}

// written is where the records of an owner name stand.
func (w *world) written(owner tlsa.Owner) tlsa.Owner {
	if target, alias := w.target[owner]; alias {
		return target
	}
	return owner
}

func (w *world) offer(id tlsa.ChainID) { w.offerTo("mx1", id, false) }

func (w *world) offerTo(lineage string, id tlsa.ChainID, explicit bool) {
	h := w.hosts[lineage]
	h.stash[id] = ""
	h.offers = append(h.offers, Offer{Chain: id, Explicit: explicit})
	w.note("offered %s %s", lineage, id.Short())
}

// presented are the chains that clients asking at an owner name may be shown, now
// or as soon as the last reload is done.
func (w *world) presented(owner tlsa.Owner) map[tlsa.ChainID]string {
	out := map[tlsa.ChainID]string{}
	for name, h := range w.hosts {
		for _, e := range w.policy.Lineages[name].Endpoints {
			if !slices.Contains(e.Owners(), owner) {
				continue
			}
			for address, n := range h.nodes {
				ids := []tlsa.ChainID{n.served, n.coming}
				if w.shown[n.bare] {
					ids = append(ids, n.bare)
				}
				for _, id := range ids {
					if id != "" {
						out[id] = address
					}
				}
			}
		}
	}
	return out
}

// reference is how clients of the owner's endpoints judge.
func (w *world) reference(owner tlsa.Owner) tlsa.Reference {
	for _, p := range w.policy.Lineages {
		for _, e := range p.Endpoints {
			if slices.Contains(e.Owners(), owner) {
				return e.reference(w.now)
			}
		}
	}
	return tlsa.Reference{Time: w.now}
}

// vouches reports whether an answer vouches for a chain: in the strong sense of
// RFC 7671, section 8, or any match in an emergency.
func (w *world) vouches(s tlsa.RRset, id tlsa.ChainID, owner tlsa.Owner) bool {
	ref := w.reference(owner)
	if w.weak {
		return s.Authenticates(w.chains[id], ref) == nil
	}
	return s.Vouches(w.chains[id], ref) == nil
}

// assert checks every answer that may be held against every chain presented.
// Where people may break anything, only our own steps are judged, as they are
// taken.
func (w *world) assert() {
	if w.careless {
		return
	}
	for _, owner := range w.endpointOwners() {
		for id, address := range w.presented(owner) {
			for _, h := range w.held(w.written(owner)) {
				if !w.vouches(h.rrset, id, owner) {
					w.broke("%s presents %s, and an answer of %s (ttl %s) does not match: %v", address, id.Short(), h.born.Sub(epoch), h.rrset.TTL, h.rrset)
				}
			}
		}
	}
}

func (w *world) endpointOwners() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range w.policy.Lineages {
		for _, e := range p.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// judgeChange checks a change of ours: whoever matched must match still. Without
// any record nobody is refused, which is what a withdrawal is for.
func (w *world) judgeChange(c Change) {
	if c.After.Denial() && !slices.ContainsFunc(slices.Collect(maps.Values(w.state.Lineages)), func(l Lineage) bool { return l.Withdrawn.IsZero() }) {
		return
	}
	for _, owner := range w.endpointOwners() {
		if w.written(owner) != c.Owner {
			continue
		}
		for id, address := range w.presented(owner) {
			if w.vouches(c.Before, id, owner) && !w.vouches(c.After, id, owner) {
				w.broke("%s takes the match away from %s, which %s presents", c, id.Short(), address)
			}
		}
	}
}

// judgeNode checks that a node may present another chain: every answer held that
// was there when this was decided must vouch for it; for a way back, if it did for
// what was presented.
func (w *world) judgeNode(lineage string, n *node, to tlsa.ChainID, sw switching) {
	if to == "" || n.served == to || sw.back && n.remote || w.forced {
		return // what other machines do with a pair that did not work here is not for us to judge
	}
	for _, e := range w.policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			for _, h := range w.held(w.written(owner)) {
				switch {
				case !sw.known[h.cached(w.written(owner))], w.vouches(h.rrset, to, owner):
				case (sw.back || sw.recalled) && (n.served == "" || !w.vouches(h.rrset, n.served, owner)):
				default:
					w.broke("%s presents %s instead of %s, and an answer of %s (ttl %s) does not match: %v", lineage, to.Short(), n.served.Short(), h.born.Sub(epoch), h.rrset.TTL, h.rrset)
				}
			}
		}
	}
}

// switching is why nodes take up another pair.
type switching struct {
	back     bool
	recalled bool            // a person wants the previous pair
	known    map[cached]bool // answers that could be known when it was decided
}

// decide is a switch that is decided now.
func (w *world) decide(lineage string, back bool) switching {
	sw := switching{back: back, known: map[cached]bool{}}
	for _, e := range w.policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			maps.Copy(sw.known, w.known(w.written(owner), back))
		}
	}
	return sw
}

// reload makes the nodes of a lineage present what is installed, each in its time.
func (w *world) reload(lineage string, sw switching) {
	h := w.hosts[lineage]
	h.why = sw
	for _, address := range h.addresses() {
		n := h.nodes[address]
		n.coming = h.installed
		take := func() {
			n.coming = ""
			switch {
			case n.stuck, n.lonely:
			case n.broken:
				n.served = ""
			default:
				w.judgeNode(lineage, n, h.installed, h.why)
				n.served = h.installed
			}
		}
		if n.slow > 0 {
			w.after(n.slow, take)
		} else {
			take()
		}
	}
}

// freeze has the next pass freeze lineage mx1; a zero time is until it is thawed.
func (w *world) freeze(until time.Time) {
	w.hosts["mx1"].orders = w.hosts["mx1"].orders.And(Orders{Freeze: &Freeze{Until: until}})
}

func (w *world) thaw() {
	w.hosts["mx1"].orders = w.hosts["mx1"].orders.And(Orders{Thaw: true})
}
