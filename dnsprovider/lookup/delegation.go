package lookup

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxServers bounds the addresses of one zone; the root has 26.
const maxServers = 64

// A nameserver is one name of an NS set, with all that is known of where it is.
type nameserver struct {
	name          string
	parent, child bool
	hidden        bool
	ttl           time.Duration                    // the larger of parent's and child's NS TTL
	addrs         map[netip.AddrPort]time.Duration // with the longest TTL seen
	problem       *problem                         // why no address could be found
	unknown       bool                             // as the lookup failed: it may have one
}

// A gathering collects the servers of one zone from parent, child, resolver and
// configuration.
type gathering struct {
	pass     *Pass
	zone     *zone
	hosts    map[string]*nameserver
	resolved map[string]bool
	findings []Finding
	partial  []string // why servers may be missing
}

func (g *gathering) run(ctx context.Context) {
	g.resolved = map[string]bool{}
	g.fromParent(ctx)
	resolver := g.resolverSet(ctx)
	if len(g.hosts) == 0 {
		g.merge(resolver, func(*nameserver) {})
	}
	g.addresses(ctx)
	g.fromChild(ctx)
	g.compare(resolver)
	g.hide(ctx)
	g.settle()
}

// An nsSet is NS records seen at one place, with the addresses that came along.
type nsSet struct {
	names map[string]time.Duration
	glue  map[string]map[netip.Addr]time.Duration
}

// nsSetOf reads the NS RRset of zone out of a section; glue is believed for names
// inside bailiwick only, of others a server knows no better than anyone.
func nsSetOf(section, extra []dns.RR, zone, bailiwick string) (nsSet, bool) {
	s, ok := find(rrsets(lowered(section)), zone, dns.TypeNS)
	if !ok {
		return nsSet{}, false
	}
	set := nsSet{map[string]time.Duration{}, map[string]map[netip.Addr]time.Duration{}}
	for _, rr := range s.rrs {
		if ns, ok := rr.(*dns.NS); ok {
			set.names[dns.CanonicalName(ns.Ns)] = s.longest()
		}
	}
	for _, rr := range lowered(extra) {
		name := rr.Header().Name
		if _, named := set.names[name]; !named || !dns.IsSubDomain(bailiwick, name) {
			continue
		}
		if addr, ok := addressOf(rr); ok {
			if set.glue[name] == nil {
				set.glue[name] = map[netip.Addr]time.Duration{}
			}
			set.glue[name][addr] = ttl(rr.Header().Ttl)
		}
	}
	return set, true
}

// merge adds a set's servers; mark notes who named them.
func (g *gathering) merge(set nsSet, mark func(*nameserver)) {
	for name, nsTTL := range set.names {
		ns := g.host(name)
		ns.ttl = max(ns.ttl, nsTTL)
		mark(ns)
		for addr, t := range set.glue[name] {
			g.place(ns, netip.AddrPortFrom(addr, g.pass.client.cfg.Port), t)
		}
	}
}

func (g *gathering) host(name string) *nameserver {
	ns := g.hosts[name]
	if ns == nil {
		ns = &nameserver{name: name, addrs: map[netip.AddrPort]time.Duration{}}
		g.hosts[name] = ns
	}
	return ns
}

func (g *gathering) place(ns *nameserver, addr netip.AddrPort, t time.Duration) {
	ns.addrs[addr] = max(ns.addrs[addr], t)
}

func (g *gathering) missing(format string, args ...any) {
	g.partial = append(g.partial, fmt.Sprintf(format, args...))
}

// resolverSet is the NS set as the validating resolver sees it.
func (g *gathering) resolverSet(ctx context.Context) nsSet {
	a := g.pass.Ask(ctx, g.zone.name, dns.TypeNS)
	set, _ := nsSetOf(a.Records, nil, g.zone.name, g.zone.name)
	return set
}

// addresses looks up every address of the names that came since the last call.
func (g *gathering) addresses(ctx context.Context) {
	var names []string
	for name := range g.hosts {
		if !g.resolved[name] && !(server{name: name}).matches(g.zone.options.Exclude) {
			names = append(names, name)
		}
		g.resolved[name] = true
	}
	slices.Sort(names)
	found := make([]hostAddresses, len(names))
	each(names, func(i int, name string) { found[i] = g.pass.addressesOf(ctx, name) })
	for i, name := range names {
		g.reached(g.hosts[name], name, found[i], g.pass.client.cfg.Port)
	}
}

// reached enters the addresses that a name server was found to have. what names it in a sentence.
func (g *gathering) reached(ns *nameserver, what string, found hostAddresses, port uint16) {
	for addr, t := range found.addrs {
		g.place(ns, netip.AddrPortFrom(addr, port), t)
	}
	if found.err != "" {
		g.missing("addresses of %s: %s", ns.name, found.err)
	}
	if len(ns.addrs) == 0 {
		ns.unknown = found.err != ""
		ns.problem = &problem{FaultNoAddress, fmt.Sprintf("%s has no address: %s", what, or(found.err, "neither A nor AAAA"))}
	}
}

// hostAddresses is every address of a host by the validating resolver.
type hostAddresses struct {
	addrs map[netip.Addr]time.Duration
	err   string
}

func (p *Pass) addressesOf(ctx context.Context, host string) hostAddresses {
	found := hostAddresses{addrs: map[netip.Addr]time.Duration{}}
	types := []uint16{dns.TypeA, dns.TypeAAAA}
	answers := make([]Answer, len(types))
	each(types, func(i int, t uint16) { answers[i] = p.Ask(ctx, host, t) })
	for _, a := range answers {
		if a.Err != "" {
			found.err = a.Err
		}
		for _, rr := range a.Records {
			if addr, ok := addressOf(rr); ok {
				found.addrs[addr] = max(found.addrs[addr], ttl(rr.Header().Ttl))
			}
		}
	}
	return found
}

// addressOf reads an A or AAAA record. The unspecified address is nobody's.
func addressOf(rr dns.RR) (netip.Addr, bool) {
	var addr netip.Addr
	var ok bool
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, ok = netip.AddrFromSlice(rr.AAAA)
	}
	addr = addr.Unmap()
	return addr, ok && !addr.IsUnspecified()
}

// fromChild asks every address for the NS set that the zone gives of itself, and
// those named there too, until nobody new is named.
func (g *gathering) fromChild(ctx context.Context) {
	asked := map[netip.AddrPort]bool{}
	for {
		var todo []server
		for _, ns := range g.hosts {
			for addr := range ns.addrs {
				s := server{name: ns.name, addr: addr}
				if !asked[addr] && len(asked) < maxServers && !s.matches(g.zone.options.Exclude) {
					asked[addr] = true
					todo = append(todo, s)
				}
			}
		}
		if len(todo) == 0 || ctx.Err() != nil {
			return
		}
		sets := make([]nsSet, len(todo))
		each(todo, func(i int, s server) {
			r, err := g.pass.askServer(ctx, g.zone.name, s.addr, question{name: g.zone.name, qtype: dns.TypeNS})
			if err == nil && authoritative(r.Msg) == nil {
				sets[i], _ = nsSetOf(r.Answer, r.Extra, g.zone.name, g.zone.name)
			}
		})
		for _, set := range sets {
			g.merge(set, func(ns *nameserver) { ns.child = true })
		}
		g.addresses(ctx)
	}
}

// hide adds the servers that only the configuration knows.
func (g *gathering) hide(ctx context.Context) {
	for _, word := range g.zone.options.Hidden {
		name, addr, err := parseHidden(word, g.pass.client.cfg.Port)
		if err != nil {
			g.missing("%s", err)
			continue
		}
		ns := g.host(or(name, addr.String()))
		if name == "" {
			ns.name, ns.hidden = "", true
			g.place(ns, addr, 0)
			continue
		}
		ns.hidden = true
		g.reached(ns, "hidden server "+name, g.pass.addressesOf(ctx, name), addr.Port())
	}
}

// settle makes the zone's list of servers, one entry an address.
func (g *gathering) settle() {
	z := g.zone
	listed := map[netip.AddrPort]int{}
	for _, name := range slices.Sorted(maps.Keys(g.hosts)) {
		ns := g.hosts[name]
		base := server{name: ns.name, source: ns.source(), ttl: ns.ttl}
		if len(ns.addrs) == 0 {
			g.settleNameless(nameless{base, ns.problem, ns.unknown})
			continue
		}
		for _, addr := range slices.SortedFunc(maps.Keys(ns.addrs), netip.AddrPort.Compare) {
			s := base
			s.addr, s.ttl = addr, max(s.ttl, ns.addrs[addr])
			i, again := listed[addr]
			switch {
			case s.matches(z.options.Exclude):
				z.excluded = append(z.excluded, s)
			case again:
				z.servers[i].name = or(z.servers[i].name, s.name) // a hidden one's address, which NS records name as well
				z.servers[i].ttl = max(z.servers[i].ttl, s.ttl)
				z.servers[i].source = z.servers[i].source.and(s.source)
			case len(z.servers) >= maxServers:
				g.missing("%s is not asked: more than %d addresses", s, maxServers)
			default:
				listed[addr] = len(z.servers)
				z.servers = append(z.servers, s)
			}
		}
	}
	slices.SortFunc(z.servers, compareServers)
	slices.SortFunc(z.excluded, compareServers)
	for _, word := range z.options.Exclude {
		if !slices.ContainsFunc(z.excluded, func(s server) bool { return s.matches([]string{word}) }) {
			g.findings = append(g.findings, finding(FindingExcludeUnused, Info, word, "zone %s: %s is excluded but no server of it is called so", z.name, word))
		}
	}
	slices.Sort(g.partial)
	z.incomplete = strings.Join(slices.Compact(g.partial), "; ")
}

func (g *gathering) settleNameless(n nameless) {
	if n.matches(g.zone.options.Exclude) {
		g.zone.excluded = append(g.zone.excluded, n.server)
		return
	}
	g.zone.nameless = append(g.zone.nameless, n)
	g.findings = append(g.findings, finding(FindingNoAddress, Warning, n.name, "zone %s: name server %s", g.zone.name, n.problem.text))
}

func (ns *nameserver) source() Source {
	switch {
	case ns.parent && ns.child:
		return SourceBoth
	case ns.parent:
		return SourceParent
	case ns.child:
		return SourceChild
	case ns.hidden:
		return SourceHidden
	}
	return SourceResolver
}
