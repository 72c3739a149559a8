package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A faultWorld is a lab in which each fault that check has to find stands at one mail domain.
type faultWorld struct {
	*lab.Lab
	t        *testing.T
	changes  map[string][]lab.Change // by zone
	policies *lab.Policies
}

// A mailSite is one mail domain with its MX host.
type mailSite struct {
	*faultWorld
	domain, host string // as in "tarpit.example.org" and "mx.tarpit.example.org"
	ttl          int    // of records that are put
	lines        []string
	crafted      []lab.CraftedServer // of a zone of its own, without those lines
	noDS         bool
}

// The zones that are not example.org itself.
const (
	unsignedZone = "example.net."
	bogusZone    = "example.com."
)

const hourTTL = 3600 // seconds, of all records that are not about a TTL

func newFaultWorld(t *testing.T) *faultWorld {
	t.Helper()
	w := &faultWorld{t: t, changes: map[string][]lab.Change{}}
	w.Lab = lab.Start(t, lab.Options{
		TTL: hourTTL * time.Second, NSTTL: hourTTL * time.Second, Resolvers: 2, SecondMX: true, RSA: true, Dovecot: true, Servers: []lab.ServerKind{lab.Exim},
		TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}, Leaf: lab.LeafOptions{Names: []string{lab.Host, "mx2.example.org", serviceHost}},
		Zones: []string{unsignedZone, bogusZone}, Unsigned: []string{unsignedZone}, Bogus: []string{bogusZone},
		Unbound: []string{"num-queries-per-thread: 1024", "outgoing-range: 2048"}, // all domains are asked for at once
	})
	w.policies = w.ServePolicies(t)
	w.changes[lab.Domain] = []lab.Change{
		lab.Add(serviceHost + ". 3600 A " + w.MX.String()),
		lab.Add("_993._tcp." + serviceHost + ". 3600 TLSA " + w.Live.TLSA(t, tlsa.EE)),
		lab.Add("_993._tcp." + serviceHost + ". 3600 TLSA " + w.Live.TLSA(t, tlsa.TA)),
	}
	return w
}

// build puts all sites into the world.
func (w *faultWorld) build(faults []fault) {
	w.t.Helper()
	for _, f := range faults {
		s := &mailSite{faultWorld: w, domain: f.domain, host: "mx." + f.domain, ttl: hourTTL}
		f.make(s)
		if s.crafted == nil {
			s.publish()
			continue
		}
		z := lab.CraftedZone{Name: s.domain + ".", Servers: slices.Clone(s.crafted), NoDS: s.noDS}
		for i := range z.Servers {
			z.Servers[i].Records = slices.Concat(s.lines, z.Servers[i].Records)
			if other := z.Servers[i].ForResolvers; other != nil {
				other.Records = slices.Concat(s.lines, other.Records)
			}
		}
		w.Craft(w.t, z)
	}
	for zone, changes := range w.changes {
		for part := range slices.Chunk(changes, 100) {
			w.Update(w.t, part...)
		}
		delete(w.changes, zone)
	}
	w.ReleaseSecondary(w.t)
}

// private are the zones of which nobody is to wonder that they have private addresses.
func (w *faultWorld) private(faults []fault) map[string]lookup.Zone {
	zones := map[string]lookup.Zone{}
	for _, name := range []string{lab.Domain, unsignedZone, bogusZone} {
		zones[name] = lookup.Zone{Private: true}
	}
	for _, f := range faults {
		if !f.public {
			zones[f.domain+"."] = lookup.Zone{Private: true}
		}
	}
	return zones
}

// publish has the lines put into the zone that they are in.
func (s *mailSite) publish() {
	zone := lab.Domain
	for _, other := range []string{unsignedZone, bogusZone} {
		if strings.HasSuffix(s.domain+".", other) {
			zone = other
		}
	}
	for _, line := range s.lines {
		s.changes[zone] = append(s.changes[zone], lab.Add(line))
	}
}

// put makes a record of an owner without its final dot.
func (s *mailSite) put(owner, data string) {
	s.lines = append(s.lines, fmt.Sprintf("%s. %d %s", owner, s.ttl, data))
}

// serve has the host serve as mx says on an address of its own, and the domain's mail go there.
func (s *mailSite) serve(mx lab.MX) {
	s.t.Helper()
	s.put(s.domain, "MX 10 "+s.host+".")
	s.at(s.host, mx)
}

// at is another host, or address of a host.
func (s *mailSite) at(host string, mx lab.MX) {
	s.t.Helper()
	s.put(host, "A "+s.ServeMX(s.t, mx).String())
}

// records puts TLSA records at the host.
func (s *mailSite) records(data ...string) {
	for _, d := range data {
		s.put("_25._tcp."+s.host, "TLSA "+d)
	}
}

// issue makes a pair for the host.
func (s *mailSite) issue(o lab.LeafOptions) *lab.Pair {
	s.t.Helper()
	if o.Names == nil {
		o.Names = []string{s.host}
	}
	return s.Certificates().Issue(s.t, o)
}

// one has the host present a fresh chain, which it returns.
func (s *mailSite) one(o lab.LeafOptions) *lab.Pair {
	s.t.Helper()
	p := s.issue(o)
	s.serve(lab.MX{Pairs: []*lab.Pair{p}})
	return p
}

// ee and ta are the usual records of a pair.
func (s *mailSite) ee(p *lab.Pair) string { return p.TLSA(s.t, tlsa.EE) }
func (s *mailSite) ta(p *lab.Pair) string { return p.TLSA(s.t, tlsa.TA) }

// stray is a record of a key that nobody has.
func (s *mailSite) stray(params string, octets int) string {
	return params + " " + strings.Repeat(fmt.Sprintf("%02x", len(s.lines)+1), octets)
}

// bare is a pair without what stands above the leaf.
func bare(p *lab.Pair) *lab.Pair {
	return &lab.Pair{Dir: p.Dir, Certificates: p.Certificates[:1], Key: p.Key}
}
