package demo

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Names of the world.
const (
	domain = "example.org."
	host   = "mx1.example.org"
	owner  = tlsa.Owner("_25._tcp.mx1.example.org.")

	primary   = "ns1" // takes changes
	secondary = "ns2" // follows late
)

const dnsPort = 53

// Addresses of the world, all for documentation (RFC 5737).
var (
	rootAt     = netip.MustParseAddrPort("203.0.113.1:53")
	ns1At      = netip.MustParseAddrPort("192.0.2.53:53")
	ns2At      = netip.MustParseAddrPort("198.51.100.53:53")
	mailAt     = netip.MustParseAddrPort("192.0.2.25:25")
	resolverAt = netip.MustParseAddrPort("127.0.0.1:53") // the agent's: AD is believed from loopback
)

const (
	// recordTTL is that of the TLSA records, and of denials.
	recordTTL = 4 * time.Second
	// staticTTL is that of all that does not change while the demo runs.
	staticTTL = 5 * time.Minute
	// lag is how late the secondary follows.
	lag = 3 * time.Second
)

// foreign is the record of another host that shares the owner name: nobody but
// that host's administrator may touch it.
var foreign = tlsa.Association{Params: tlsa.EE, Data: "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"}

// A tree is a signed root and the signed zone below it.
type tree struct {
	root, child *zoneKey
	zone        *memory.Zone // the TLSA records of the child
}

func newTree(content *memory.Zone, now func() time.Time) (tree, error) {
	t := tree{zone: content}
	var err error
	if t.root, err = newZoneKey(".", staticTTL, now); err != nil {
		return t, err
	}
	t.child, err = newZoneKey(domain, staticTTL, now)
	return t, err
}

// hint is what resolvers are given.
func (t tree) hint() hint { return hint{[]netip.AddrPort{rootAt}, t.root.ds()} }

// rootZone is the root, as its one server has it.
func (t tree) rootZone() *zone {
	ds := t.child.ds()
	ds.Hdr.Ttl = uint32(staticTTL / time.Second)
	records := append(delegation(),
		soa(".", "ns.root.", 1), &dns.NS{Hdr: header(".", dns.TypeNS, staticTTL), Ns: "ns.root."}, address("ns.root.", rootAt), ds)
	return &zone{t.root, func() []dns.RR { return slices.Clone(records) }}
}

// childZone is example.org as one of its servers has it.
func (t tree) childZone(server string) *zone {
	return &zone{t.child, func() []dns.RR {
		here, _ := t.zone.Answer(server, owner)
		records := append(delegation(), soa(domain, primary+"."+domain, here.Serial), address(host+".", mailAt))
		return append(records, tlsaRecords(owner, here.RRset)...)
	}}
}

// delegation is what parent and child have in common.
func delegation() []dns.RR {
	ns1, ns2 := primary+"."+domain, secondary+"."+domain
	return []dns.RR{
		&dns.NS{Hdr: header(domain, dns.TypeNS, staticTTL), Ns: ns1},
		&dns.NS{Hdr: header(domain, dns.TypeNS, staticTTL), Ns: ns2},
		address(ns1, ns1At), address(ns2, ns2At),
	}
}

func address(name string, at netip.AddrPort) dns.RR {
	return &dns.A{Hdr: header(name, dns.TypeA, staticTTL), A: net.IP(at.Addr().AsSlice())}
}

// soa has the TTL of a denial, with which it goes (RFC 2308, section 3).
func soa(zone, server string, serial uint32) dns.RR {
	return &dns.SOA{Hdr: header(zone, dns.TypeSOA, recordTTL), Ns: server, Mbox: "hostmaster." + domain, Serial: serial,
		Refresh: 1800, Retry: 900, Expire: 604800, Minttl: uint32(recordTTL / time.Second)}
}

// tlsaRecords are an RRset in DNS messages.
func tlsaRecords(owner tlsa.Owner, s tlsa.RRset) []dns.RR {
	var out []dns.RR
	for _, a := range s.Associations {
		out = append(out, &dns.TLSA{Hdr: header(string(owner), dns.TypeTLSA, s.TTL),
			Usage: uint8(a.Usage), Selector: uint8(a.Selector), MatchingType: uint8(a.Matching), Certificate: a.Data})
	}
	return out
}

// rrsetOf reads the TLSA records out of an answer.
func rrsetOf(answer []dns.RR) (tlsa.RRset, error) {
	var as []tlsa.Association
	for _, rr := range answer {
		t, ok := rr.(*dns.TLSA)
		if !ok {
			continue
		}
		a, err := tlsa.ParseAssociation(fmt.Sprintf("%d %d %d %s", t.Usage, t.Selector, t.MatchingType, t.Certificate))
		if err != nil {
			return tlsa.RRset{}, err
		}
		as = append(as, a)
	}
	return tlsa.NewRRset(lowest(answer), as...), nil
}
