package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A world is a signed tree of zones, servers that each hold their own copies of
// them, and a validating resolver that sees the zones as they should be. Nothing in
// it uses a socket; every message goes through its wire format.
type world struct {
	t            *testing.T
	now          time.Time
	zones        map[string]*authZone
	servers      map[netip.AddrPort]*authServer
	resolver     *fakeResolver
	resolverAddr netip.AddrPort

	mu    sync.Mutex
	asked map[string]int // "address name TYPE" -> questions
}

// An authServer is one address with its copies of zones.
type authServer struct {
	zones  map[string]*authZone
	mangle func(network string, q, r *dns.Msg) (*dns.Msg, error) // nil: honest
}

const (
	mx    = tlsa.Owner("_25._tcp.mx.example.org.")
	one   = "3 1 1 1111111111111111111111111111111111111111111111111111111111111111"
	two   = "3 1 1 2222222222222222222222222222222222222222222222222222222222222222"
	three = "2 1 1 3333333333333333333333333333333333333333333333333333333333333333"
)

// Addresses of the standard world.
var (
	rootAddr   = addrPort("198.41.0.4")
	orgAddr    = addrPort("199.19.56.1")
	orgAddr2   = addrPort("199.19.57.1")
	ns1        = addrPort("192.0.2.53")
	ns2        = addrPort("198.51.100.53")
	ns2v6      = addrPort("2001:db8::53")
	otherAddr  = addrPort("203.0.113.53")
	resolverAt = addrPort("127.0.0.1")
)

func addrPort(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 53) }

// newWorld makes root, org., example.org. (ns1, ns2) and other.org. (ns.other.org.),
// all signed with NSEC.
func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		zones: map[string]*authZone{}, servers: map[netip.AddrPort]*authServer{}, asked: map[string]int{},
	}
	w.resolver, w.resolverAddr = &fakeResolver{world: w, validates: true}, resolverAt
	w.zone(".", `
@ 86400 SOA a.root. hostmaster.root. 1 1800 900 604800 86400
@ 518400 NS a.root.
a.root. 518400 A 198.41.0.4
org. 172800 NS a.nic.org.
org. 172800 NS b.nic.org.
a.nic.org. 172800 A 199.19.56.1
b.nic.org. 172800 A 199.19.57.1
`, rootAddr)
	w.zone("org.", `
@ 3600 SOA a.nic hostmaster.nic 1 1800 900 604800 3600
@ 3600 NS a.nic
@ 3600 NS b.nic
a.nic 3600 A 199.19.56.1
b.nic 3600 A 199.19.57.1
example 86400 NS ns1.example
example 86400 NS ns2.example
ns1.example 86400 A 192.0.2.53
ns2.example 86400 A 198.51.100.53
ns2.example 86400 AAAA 2001:db8::53
other 86400 NS ns.other
ns.other 86400 A 203.0.113.53
`, orgAddr, orgAddr2)
	w.zone("example.org.", `
@ 3600 SOA ns1 hostmaster 1 1800 900 604800 600
@ 7200 NS ns1
@ 7200 NS ns2
ns1 7200 A 192.0.2.53
ns2 7200 A 198.51.100.53
ns2 7200 AAAA 2001:db8::53
mx 3600 A 192.0.2.25
mx 3600 AAAA 2001:db8::25
_25._tcp.mx 1800 TLSA `+one+`
`, ns1, ns2, ns2v6)
	w.zone("other.org.", `
@ 3600 SOA ns hostmaster 1 1800 900 604800 600
@ 3600 NS ns
ns 3600 A 203.0.113.53
`, otherAddr)
	for _, z := range []string{".", "org.", "example.org.", "other.org."} {
		w.sign(z)
	}
	return w
}

// zone makes a zone and gives each server its own copy.
func (w *world) zone(name, text string, at ...netip.AddrPort) *authZone {
	z := &authZone{t: w.t, name: name, now: w.now, inception: w.now.Add(-24 * time.Hour), expiration: w.now.Add(14 * 24 * time.Hour)}
	z.put(text)
	w.zones[name] = z
	for _, a := range at {
		if w.servers[a] == nil {
			w.servers[a] = &authServer{zones: map[string]*authZone{}}
		}
		w.servers[a].zones[name] = z
	}
	return z
}

// sign gives a zone a key, and its parent the DS record.
func (w *world) sign(name string) {
	z := w.zones[name]
	z.newKey(257)
	if up := w.above(name); up != nil {
		up.records = append(up.records, z.ds())
	}
}

func (w *world) above(name string) *authZone {
	for name != "." {
		i, end := dns.NextLabel(name, 0)
		if name = name[i:]; end {
			name = "."
		}
		if z := w.zones[name]; z != nil {
			return z
		}
	}
	return nil
}

// own gives a server its own copy of a zone, as a secondary that lags has.
func (w *world) own(at netip.AddrPort, zone string) *authZone {
	c := *w.servers[at].zones[zone]
	c.records = slices.Clone(c.records)
	w.servers[at].zones[zone] = &c
	return &c
}

// exchange is the network.
func (w *world) exchange(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error) {
	q := m.Question[0]
	w.mu.Lock()
	w.asked[fmt.Sprintf("%s %s %s", server.Addr(), q.Name, dns.Type(q.Qtype))]++
	w.mu.Unlock()
	var r *dns.Msg
	var err error
	switch s := w.servers[server]; {
	case server == w.resolverAddr:
		r, err = w.resolver.answer(m)
	case s == nil:
		<-ctx.Done() // nobody there
		return nil, ctx.Err()
	default:
		r = s.answer(m)
		if s.mangle != nil {
			r, err = s.mangle(network, m, r)
		}
	}
	if errors.Is(err, errSilent) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return w.wire(r, network)
}

var errSilent = errors.New("no answer")

// wire packs and unpacks a message, and truncates what UDP does not carry.
func (w *world) wire(r *dns.Msg, network string) (*dns.Msg, error) {
	r.Compress = true
	buf, err := r.Pack()
	if err != nil {
		w.t.Errorf("message that cannot be packed: %v\n%v", err, r)
		return nil, err
	}
	if network == "udp" && len(buf) > 1232 {
		r = &dns.Msg{MsgHdr: r.MsgHdr, Question: r.Question}
		r.Truncated = true
		buf, _ = r.Pack()
	}
	out := new(dns.Msg)
	return out, out.Unpack(buf)
}

func (w *world) count(substring string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for k, c := range w.asked {
		if strings.Contains(k, substring) {
			n += c
		}
	}
	return n
}

// client returns a client for this world; change may alter its configuration.
func (w *world) client(change ...func(*lookup.Config)) *lookup.Client {
	cfg := lookup.Config{Resolver: resolverAt, Now: func() time.Time { return w.now }, Exchange: w.exchange}
	for _, f := range change {
		f(&cfg)
	}
	c, err := lookup.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) look(owner tlsa.Owner, retained ...lookup.Retained) lookup.View {
	return w.client().NewPass(nil).Owner(w.t.Context(), owner, retained...)
}

func (w *world) lookWith(owner tlsa.Owner, zones map[string]lookup.Zone) lookup.View {
	return w.client().NewPass(zones).Owner(w.t.Context(), owner)
}

// at returns the view of one address.
func at(t *testing.T, v lookup.View, a netip.AddrPort) lookup.ServerView {
	t.Helper()
	for _, s := range v.Servers {
		if s.Address == a {
			return s
		}
	}
	t.Fatalf("no view of %s among %v", a, names(v))
	return lookup.ServerView{}
}

func names(v lookup.View) []string {
	var out []string
	for _, s := range v.Servers {
		out = append(out, s.Server.String())
	}
	return out
}

func codes(v lookup.View) []string {
	set := map[string]bool{}
	for _, f := range v.Findings {
		set[f.Code] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func records(s tlsa.RRset) string {
	var out []string
	for _, a := range s.Associations {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}

func owner(format string, args ...any) tlsa.Owner { return tlsa.Owner(fmt.Sprintf(format, args...)) }
