package memory

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// server is one authoritative server: how far it has followed the history.
type server struct {
	nodes  map[tlsa.Owner]node
	next   int // index of the first edit it has not got
	serial uint32
	mode   mode
	lag    time.Duration
	down   bool
}

type mode uint8

const (
	following mode = iota // gets each edit, lag after it was made
	held                  // gets nothing by itself
)

func newServer() *server { return &server{nodes: map[tlsa.Owner]node{}, serial: 1} }

// advance gives the server the edits up to the end of the slice.
func (s *server) advance(edits []edit) {
	for ; s.next < len(edits); s.next++ {
		e := edits[s.next]
		s.serial = e.serial
		if e.node.empty() {
			delete(s.nodes, e.owner)
			continue
		}
		s.nodes[e.owner] = e.node
	}
}

// due counts the edits that have reached the server by now. A server never goes
// back by itself.
func (s *server) due(edits []edit, now time.Time) int {
	n := s.next
	if s.mode == held {
		return n
	}
	for n < len(edits) && !edits[n].at.Add(s.lag).After(now) {
		n++
	}
	return n
}

// An Answer is what one server says of an owner name at one moment.
type Answer struct {
	// RRset stands there, or at the wildcard that covers the name. A denial has the
	// TTL for which it may be cached.
	RRset tlsa.RRset
	// TXT are the values there, or at the wildcard; empty: none.
	TXT    []string
	TXTTTL time.Duration
	// Alias is where a CNAME at the name leads, with the TTL of the CNAME; then
	// RRset is empty. The caller follows it.
	Alias    tlsa.Owner
	AliasTTL time.Duration
	Serial   uint32 // of the zone on this server
}

// Answer returns what the server would answer now to a query for the TLSA records
// of owner; false if it gives no answer, because it is down, unknown, or
// not authoritative for the name.
func (z *Zone) Answer(name string, owner tlsa.Owner) (Answer, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	s := z.servers[name]
	if s == nil || s.down || !z.holds(owner) {
		return Answer{}, false
	}
	z.catchUp(name)
	n := s.nodes[owner]
	if star, ok := wildcard(s.nodes, owner); ok {
		n = s.nodes[star]
	}
	answer := Answer{RRset: n.rrset, TXT: slices.Clone(n.txt), TXTTTL: n.txtTTL, Alias: n.alias, AliasTTL: n.aliasTTL, Serial: s.serial}
	if n.rrset.Denial() && n.alias == "" {
		answer.RRset = tlsa.RRset{TTL: z.negative}
	}
	answer.RRset = answer.RRset.With() // a copy
	return answer, true
}

func (z *Zone) catchUp(name string) {
	s := z.servers[name]
	if name == z.primary {
		s.advance(z.edits)
		return
	}
	s.advance(z.edits[:s.due(z.edits, z.now())])
}

// Follow makes the secondary get each change lag after it is made, those that it
// has missed included.
func (z *Zone) Follow(secondary string, lag time.Duration) {
	z.settle(secondary, func(s *server) { s.mode, s.lag = following, lag })
}

// Hold makes the secondary stay at what it has, until Transfer or Follow.
func (z *Zone) Hold(secondary string) {
	z.settle(secondary, func(s *server) { s.mode = held })
}

// Transfer gives the secondary the primary copy as it is now. Whether it follows
// or is held does not change.
func (z *Zone) Transfer(secondary string) {
	z.settle(secondary, func(s *server) { s.advance(z.edits) })
}

// Rewind puts the secondary back to what the primary copy was at that time and
// holds it there, as after a restore of an old machine.
func (z *Zone) Rewind(secondary string, at time.Time) {
	z.settle(secondary, func(s *server) {
		old := newServer()
		old.mode, old.lag, old.down = held, s.lag, s.down
		old.advance(z.edits[:z.until(at)])
		*s = *old
	})
}

// Down makes a server give no answer. If it is the primary, nothing can be read or
// changed through the provider either.
func (z *Zone) Down(name string) { z.power(name, true) }

// Up makes it answer again; a secondary gets what it has missed when its lag is over.
func (z *Zone) Up(name string) { z.power(name, false) }

func (z *Zone) power(name string, down bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.mustHave(name)
	z.catchUp(name)
	z.servers[name].down = down
}

// settle gives the secondary what was due by now, then lets change have its way.
func (z *Zone) settle(secondary string, change func(*server)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.mustHave(secondary)
	if secondary == z.primary {
		panic(fmt.Sprintf("memory: zone %s: %q is the primary, it follows nobody", z.name, secondary))
	}
	z.catchUp(secondary)
	change(z.servers[secondary])
}

func (z *Zone) mustHave(name string) {
	if z.servers[name] == nil {
		panic(fmt.Sprintf("memory: zone %s: no server named %q", z.name, name))
	}
}

// until counts the edits made up to and including at.
func (z *Zone) until(at time.Time) int {
	n := 0
	for n < len(z.edits) && !z.edits[n].at.After(at) {
		n++
	}
	return n
}
