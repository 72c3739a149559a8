package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	sorted    []string         // their addresses
	offers    []rollover.Offer
	Orders    rollover.Orders
	fickle    bool // somebody turned a newer pair away
	handed    bool // a pair was handed in since the last pass
	Standby   tlsa.Association
	Issuing   rollover.Issuing
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
	coming bool          // what is installed will be served when it is
	linger time.Duration // for so long old workers go on after a reload
	old    tlsa.ChainID  // what they present

	theirs, oldTheirs bool // people made it present that
	unnoticed         bool // and no look has come across it since
	Gone              bool // not in DNS any more
	lonely            bool // nor in any cache: no client comes
}

// give has people make a node present a chain.
func (n *Node) give(id tlsa.ChainID) { n.Served, n.theirs, n.unnoticed = id, true, true }

// NewHost has a node at each address, which serve nothing yet.
func NewHost(algorithm string, addresses ...string) *Host {
	h := &Host{Algorithm: algorithm, Nodes: map[string]*Node{}, Stash: map[tlsa.ChainID]string{}}
	for _, a := range addresses {
		h.Nodes[a] = &Node{}
	}
	return h
}

func (h *Host) addresses() []string {
	if len(h.sorted) != len(h.Nodes) {
		h.sorted = slices.Sorted(maps.Keys(h.Nodes))
	}
	return h.sorted
}

// at is where a port of a node is reached, whose name may have one.
func at(address string, port uint16) string {
	if strings.Contains(address, ":") {
		return address
	}
	return fmt.Sprintf("%s:%d", address, port)
}

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
	w.ForgetCaches()
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

// Reload makes the nodes of a lineage present what is installed, each in its time.
func (w *World) Reload(lineage string, sw Switching) {
	h := w.Hosts[lineage]
	h.why = sw
	for _, address := range h.addresses() {
		n := h.Nodes[address]
		n.coming = true
		take := func() {
			n.coming = false
			w.leaveWorkers(n)
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
			w.After(n.Slow, take)
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

// leaveWorkers has some workers of a node go on for a while with what it presents.
func (w *World) leaveWorkers(n *Node) {
	if n.linger <= 0 || n.Stuck || n.lonely {
		return
	}
	n.old, n.oldTheirs = n.Served, n.theirs
	w.After(n.linger, func() { n.old = "" })
}
