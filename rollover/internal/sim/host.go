package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Host is what a lineage has on its machines.
type Host struct {
	Algorithm string
	Live      tlsa.ChainID // the link
	Installed tlsa.ChainID
	Nodes     map[string]*Node // by address
	offers    []rollover.Offer
	Orders    rollover.Orders
	fickle    bool // somebody turned a newer pair away
	Standby   tlsa.Association
	why       Switching               // of what is installed
	Stash     map[tlsa.ChainID]string // and why an entry cannot be read
}

// Node is one address of a lineage's endpoints.
type Node struct {
	Served tlsa.ChainID  // "" has no TLS
	Bare   tlsa.ChainID  // served where no name is asked for; "": the same
	Stuck  bool          // ignores reloads
	Broken bool          // has no TLS after the next reload
	Unseen bool          // does not answer us
	Remote bool          // is another machine: takes what is installed in its own time
	Slow   time.Duration // until a reload is done
	coming tlsa.ChainID  // will be served when it is
	Gone   bool          // not in DNS any more
	lonely bool          // nor in any cache: no client comes
}

// NewHost has a node at each address, which serve nothing yet.
func NewHost(algorithm string, addresses ...string) *Host {
	h := &Host{Algorithm: algorithm, Nodes: map[string]*Node{}, Stash: map[tlsa.ChainID]string{}}
	for _, a := range addresses {
		h.Nodes[a] = &Node{}
	}
	return h
}

func (h *Host) addresses() []string { return slices.Sorted(maps.Keys(h.Nodes)) }

// Node gives the only or first node of lineage mx1.
func (w *World) Node() *Node {
	h := w.Hosts["mx1"]
	return h.Nodes[h.addresses()[0]]
}

// Serving makes the chain the one that a lineage installed and serves, with its
// records published everywhere. Nothing is adopted yet.
func (w *World) Serving(lineage string, id tlsa.ChainID) {
	w.T.Helper()
	h := w.Hosts[lineage]
	h.Installed, h.Live = id, ""
	for _, n := range h.Nodes {
		n.Served = id
	}
	h.Stash[id] = ""
	as, err := w.Policy.Lineages[lineage].Needs(w.Chains[id])
	if err != nil {
		w.T.Fatal(err)
	}
	for _, e := range w.Policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			w.Edit(w.written(owner), func(s tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, append(s.Associations, as...)...) })
		}
	}
	w.Everywhere()
	clear(w.Caches)
}

// written is where the records of an owner name stand.
func (w *World) written(owner tlsa.Owner) tlsa.Owner {
	if target, alias := w.Target[owner]; alias {
		return target
	}
	return owner
}

// Offer hands lineage mx1 a pair.
func (w *World) Offer(id tlsa.ChainID) { w.OfferTo("mx1", id, false) }

// OfferTo hands a lineage a pair; explicit is a person's word.
func (w *World) OfferTo(lineage string, id tlsa.ChainID, explicit bool) {
	h := w.Hosts[lineage]
	h.Stash[id] = ""
	h.offers = append(h.offers, rollover.Offer{Chain: id, Explicit: explicit})
	w.note("offered %s %s", lineage, id.Short())
}

// presented are the chains that clients asking at an owner name may be shown, now
// or as soon as the last reload is done.
func (w *World) presented(owner tlsa.Owner) map[tlsa.ChainID]string {
	out := map[tlsa.ChainID]string{}
	for name, h := range w.Hosts {
		for _, e := range w.Policy.Lineages[name].Endpoints {
			if !slices.Contains(e.Owners(), owner) {
				continue
			}
			for address, n := range h.Nodes {
				ids := []tlsa.ChainID{n.Served, n.coming}
				if w.shown[n.Bare] {
					ids = append(ids, n.Bare)
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
func (w *World) reference(owner tlsa.Owner) tlsa.Reference {
	for _, p := range w.Policy.Lineages {
		for _, e := range p.Endpoints {
			if slices.Contains(e.Owners(), owner) {
				return tlsa.Reference{Names: []string{e.Host}, Time: w.Now, SMTP: e.SMTP}
			}
		}
	}
	return tlsa.Reference{Time: w.Now}
}

// vouches reports whether an answer vouches for a chain: in the strong sense of
// RFC 7671, section 8, or any match in an emergency.
func (w *World) vouches(s tlsa.RRset, id tlsa.ChainID, owner tlsa.Owner) bool {
	ref := w.reference(owner)
	if w.Weak {
		return s.Authenticates(w.Chains[id], ref) == nil
	}
	return s.Vouches(w.Chains[id], ref) == nil
}

// assert checks every answer that may be held against every chain presented.
// Where people may break anything, only our own steps are judged, as they are
// taken.
func (w *World) assert() {
	if w.Careless {
		return
	}
	for _, owner := range w.endpointOwners() {
		for id, address := range w.presented(owner) {
			for _, h := range w.held(w.written(owner)) {
				if !w.vouches(h.RRset, id, owner) {
					w.broke("%s presents %s, and an answer of %s (ttl %s) does not match: %v", address, id.Short(), h.born.Sub(Epoch), h.RRset.TTL, h.RRset)
				}
			}
		}
	}
}

func (w *World) endpointOwners() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range w.Policy.Lineages {
		for _, e := range p.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// judgeChange checks a change of ours: whoever matched must match still. Without
// any record nobody is refused, which is what a withdrawal is for.
func (w *World) judgeChange(c rollover.Change) {
	if c.After.Denial() && !slices.ContainsFunc(slices.Collect(maps.Values(w.State.Lineages)), func(l rollover.Lineage) bool { return l.Withdrawn.IsZero() }) {
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
func (w *World) judgeNode(lineage string, n *Node, to tlsa.ChainID, sw Switching) {
	if to == "" || n.Served == to || sw.back && n.Remote || w.Forced {
		return // what other machines do with a pair that did not work here is not for us to judge
	}
	for _, e := range w.Policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			for _, h := range w.held(w.written(owner)) {
				switch {
				case !sw.known[h.cached(w.written(owner))], w.vouches(h.RRset, to, owner):
				case (sw.back || sw.recalled) && (n.Served == "" || !w.vouches(h.RRset, n.Served, owner)):
				default:
					w.broke("%s presents %s instead of %s, and an answer of %s (ttl %s) does not match: %v", lineage, to.Short(), n.Served.Short(), h.born.Sub(Epoch), h.RRset.TTL, h.RRset)
				}
			}
		}
	}
}

// Switching is why nodes take up another pair.
type Switching struct {
	back     bool
	recalled bool            // a person wants the previous pair
	known    map[Cached]bool // answers that could be known when it was decided
}

// decide is a switch that is decided now.
func (w *World) decide(lineage string, back bool) Switching {
	sw := Switching{back: back, known: map[Cached]bool{}}
	for _, e := range w.Policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			maps.Copy(sw.known, w.known(w.written(owner), back))
		}
	}
	return sw
}

// Reload makes the nodes of a lineage present what is installed, each in its time.
func (w *World) Reload(lineage string, sw Switching) {
	h := w.Hosts[lineage]
	h.why = sw
	for _, address := range h.addresses() {
		n := h.Nodes[address]
		n.coming = h.Installed
		take := func() {
			n.coming = ""
			switch {
			case n.Stuck, n.lonely:
			case n.Broken:
				n.Served = ""
			default:
				w.judgeNode(lineage, n, h.Installed, h.why)
				n.Served = h.Installed
			}
		}
		if n.Slow > 0 {
			w.after(n.Slow, take)
		} else {
			take()
		}
	}
}

// Freeze has the next pass freeze lineage mx1; a zero time is until it is thawed.
func (w *World) Freeze(until time.Time) {
	w.Hosts["mx1"].Orders = w.Hosts["mx1"].Orders.And(rollover.Orders{Freeze: &rollover.Freeze{Until: until}})
}

// Thaw ends a freeze.
func (w *World) Thaw() {
	w.Hosts["mx1"].Orders = w.Hosts["mx1"].Orders.And(rollover.Orders{Thaw: true})
}
