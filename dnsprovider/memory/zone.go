package memory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Options describe a zone.
type Options struct {
	Name        string   // the zone, in any spelling
	Primary     string   // name of the primary server; default "primary"
	Secondaries []string // names of the other servers; they follow without lag until told otherwise
	// Now is the clock by which secondaries lag and the history is dated; required.
	Now func() time.Time
	// NegativeTTL is how long a denial may be cached (RFC 2308, section 5); default one hour.
	NegativeTTL time.Duration
	// MinTTL raises lower TTLs in changes, as some providers do; default: none.
	MinTTL time.Duration
	// Content is what stands in the zone at first, on every server.
	Content map[tlsa.Owner]tlsa.RRset
}

// A Zone is an authoritative zone: the primary copy, its history, and the servers.
// All methods are safe for concurrent use. Methods that name a server panic if the
// zone has none of that name.
type Zone struct {
	name     string
	primary  string
	now      func() time.Time
	negative time.Duration
	minTTL   time.Duration

	mu      sync.Mutex
	edits   []edit // of the primary copy, in order
	serial  uint32
	servers map[string]*server
	faults  map[call][]Fault
}

var _ dnsprovider.Provider = (*Zone)(nil)

// New makes a zone.
func New(o Options) (*Zone, error) {
	name, err := dnsprovider.CanonicalZone(o.Name)
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	if name == "" {
		return nil, errors.New("memory: zone without a name")
	}
	if o.Now == nil {
		return nil, fmt.Errorf("memory: zone %s: no clock", name)
	}
	z := &Zone{
		name: name, primary: o.Primary, now: o.Now, negative: o.NegativeTTL, minTTL: o.MinTTL,
		serial: 1, servers: map[string]*server{}, faults: map[call][]Fault{},
	}
	if z.primary == "" {
		z.primary = "primary"
	}
	if z.negative == 0 {
		z.negative = time.Hour
	}
	for _, name := range append([]string{z.primary}, o.Secondaries...) {
		if z.servers[name] != nil {
			return nil, fmt.Errorf("memory: zone %s: two servers named %q", z.name, name)
		}
		z.servers[name] = newServer()
	}
	for _, owner := range slices.Sorted(maps.Keys(o.Content)) {
		if !dnsprovider.InZone(string(owner), z.name) {
			return nil, fmt.Errorf("memory: zone %s: %s lies outside of it", z.name, owner)
		}
		z.commit(edit{owner: owner, node: node{rrset: o.Content[owner]}, by: ByHand})
	}
	for _, s := range z.servers {
		s.advance(z.edits)
	}
	return z, nil
}

// Name returns the zone's canonical name.
func (z *Zone) Name() string { return z.name }

// Servers returns the names of all servers, the primary first.
func (z *Zone) Servers() []string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(z.servers)), func(s string) bool { return s == z.primary })
	return append([]string{z.primary}, names...)
}

// Owners returns the owner names that stand in the primary copy, sorted.
func (z *Zone) Owners() []tlsa.Owner {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Sorted(maps.Keys(z.copyOf().nodes))
}

// node is what stands at one owner name: RRsets or an alias, never both.
type node struct {
	rrset    tlsa.RRset
	txt      []string // values, sorted
	txtTTL   time.Duration
	alias    tlsa.Owner
	aliasTTL time.Duration
}

func (n node) empty() bool { return n.rrset.Denial() && n.alias == "" && len(n.txt) == 0 }

func (n node) equal(m node) bool {
	return n.rrset.Same(m.rrset) && n.rrset.TTL == m.rrset.TTL && n.alias == m.alias && n.aliasTTL == m.aliasTTL &&
		slices.Equal(n.txt, m.txt) && n.txtTTL == m.txtTTL
}

// edit is one step in the life of the primary copy.
type edit struct {
	at     time.Time
	serial uint32
	owner  tlsa.Owner
	node   node
	by     By
}

// copyOf brings the primary copy up to date and returns it. The primary is always
// at the end of the history.
func (z *Zone) copyOf() *server {
	s := z.servers[z.primary]
	s.advance(z.edits)
	return s
}

// commit writes the edit into the history under a serial of its own.
func (z *Zone) commit(e edit) {
	z.serial++
	e.serial = z.serial
	e.at = z.now()
	e.node.rrset.Associations = slices.Clone(e.node.rrset.Associations)
	z.edits = append(z.edits, e)
}

// wildcard returns the name of the wildcard that would answer for owner in nodes,
// if owner does not exist there (RFC 4592, section 3.3.1).
func wildcard(nodes map[tlsa.Owner]node, owner tlsa.Owner) (tlsa.Owner, bool) {
	if exists(nodes, owner) {
		return "", false
	}
	for encloser := parent(owner); encloser != ""; encloser = parent(encloser) {
		if star := "*." + encloser; !nodes[star].empty() {
			return star, true
		}
		if exists(nodes, encloser) {
			return "", false
		}
	}
	return "", false
}

// exists reports whether the name owns something or is an empty non-terminal.
func exists(nodes map[tlsa.Owner]node, name tlsa.Owner) bool {
	if !nodes[name].empty() {
		return true
	}
	for other := range nodes {
		if strings.HasSuffix(string(other), "."+string(name)) {
			return true
		}
	}
	return false
}

func parent(name tlsa.Owner) tlsa.Owner {
	_, rest, _ := strings.Cut(string(name), ".")
	return tlsa.Owner(rest)
}
