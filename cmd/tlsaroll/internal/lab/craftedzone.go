package lab

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A CraftedZone is a zone that no name server of Debian would serve as it is: the lab signs
// it and answers for it by itself. It stands below example.org., or an unsigned one of
// [Options.Zones], which delegates it.
type CraftedZone struct {
	Name    string // as "expired.example.org."
	Servers []CraftedServer
	// NoDS leaves the DS out of the zone above: what is signed here helps nobody.
	NoDS bool
}

// A CraftedServer is what one of a zone's servers makes of it.
type CraftedServer struct {
	// Records are lines as in a zone file, with absolute names. SOA, NS and addresses of
	// servers are there without.
	Records []string
	// Refuses has it say REFUSED to everything, as a server that is named for a zone it
	// has not got.
	Refuses bool
	// Until is from now to the end of all its signatures, which may be past; 0 is a week.
	Until time.Duration
	// DeniesEmpty has it say NXDOMAIN, with proof, to names that have no records and
	// names below them (RFC 8020, section 1 on what that does to these).
	DeniesEmpty bool
	// OmitsTLSA has it say NOTIMP to questions for TLSA, as some that do not know the type.
	OmitsTLSA bool
	// ShunsResolvers has it say REFUSED to the lab's resolvers: that what these see is from
	// the zone's other server is then no chance.
	ShunsResolvers bool
}

// A CraftedZone's data in the form in which one server answers from it.
type crafted struct {
	CraftedServer
	origin string
	sets   map[string]map[uint16][]dns.RR // with the signatures, by owner and the type that these are of
	chain  []*dns.NSEC
	signed *signedZone
	valid  validity
	shuns  []netip.Addr
}

const craftedSerial = 7

// Craft serves a zone and has it delegated; it ends with the test.
func (l *Lab) Craft(t testing.TB, z CraftedZone) []netip.AddrPort {
	t.Helper()
	servers, err := l.craft(t, z)
	if err != nil {
		t.Fatalf("lab: zone %s: %v", z.Name, err)
	}
	return servers
}

func (l *Lab) craft(t testing.TB, z CraftedZone) ([]netip.AddrPort, error) {
	keys, err := newSignedZone(z.Name)
	if err != nil {
		return nil, err
	}
	var at []netip.AddrPort
	var common []dns.RR
	var delegation []Change
	for i := range z.Servers {
		addr, err := l.block.spare()
		if err != nil {
			return nil, err
		}
		at = append(at, netip.AddrPortFrom(addr, 53))
		host := fmt.Sprintf("ns%d.%s", i+1, z.Name)
		ns, glue := &dns.NS{Hdr: header(z.Name, dns.TypeNS), Ns: host}, &dns.A{Hdr: header(host, dns.TypeA), A: addr.AsSlice()}
		common = append(common, ns, glue)
		delegation = append(delegation, Add(ns.String()), Add(glue.String()))
	}
	common = append(common, soa(z.Name, "ns1."+z.Name, craftedSerial))
	if !z.NoDS {
		delegation = append(delegation, Add(keys.ds().String()))
	}
	for i, server := range z.Servers {
		c := &crafted{CraftedServer: server, origin: z.Name, signed: keys, valid: validFor(cmp.Or(server.Until, signatureLife))}
		if server.ShunsResolvers {
			c.shuns = l.resolverAddrs()
		}
		if err := c.fill(common); err != nil {
			return nil, err
		}
		if err := serveDNS(t, at[i], c); err != nil {
			return nil, err
		}
	}
	return at, l.delegateFrom(t.Context(), z.Name, delegation)
}

// delegateFrom has the zone above say it, which answers for DS alone (RFC 4035, section 3.1.4.1).
func (l *Lab) delegateFrom(ctx context.Context, zone string, changes []Change) error {
	if err := l.Edit(ctx, changes...); err != nil {
		return err
	}
	return l.second.bringOver(ctx, time.Time{})
}

// fill signs what the server has and puts it in order.
func (c *crafted) fill(common []dns.RR) error {
	rrs := slices.Clone(common)
	for _, line := range c.Records {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			return fmt.Errorf("record %q: %w", line, err)
		}
		if !dns.IsSubDomain(c.origin, rr.Header().Name) {
			return fmt.Errorf("record %q: not in the zone", line)
		}
		rrs = append(rrs, rr)
	}
	rrs, err := c.signed.sign(rrs, c.valid)
	if err != nil {
		return err
	}
	c.sets = map[string]map[uint16][]dns.RR{}
	for _, rr := range rrs {
		name, of := rr.Header().Name, rr.Header().Rrtype
		switch rr := rr.(type) {
		case *dns.RRSIG:
			of = rr.TypeCovered
		case *dns.NSEC:
			c.chain = append(c.chain, rr)
		}
		if c.sets[name] == nil {
			c.sets[name] = map[uint16][]dns.RR{}
		}
		c.sets[name][of] = append(c.sets[name][of], rr)
	}
	return nil
}

// has says whether a name exists, be it for one below it alone (RFC 8020, section 2).
func (c *crafted) has(name string) bool {
	for owner := range c.sets {
		if dns.IsSubDomain(name, owner) {
			return true
		}
	}
	return false
}

// covering is the owner of the NSEC record at or before a name.
func (c *crafted) covering(name string) string {
	best := c.origin
	for _, nsec := range c.chain {
		if owner := nsec.Hdr.Name; reversed(owner) <= reversed(name) && reversed(owner) > reversed(best) {
			best = owner
		}
	}
	return best
}

// passing is the NSEC record at or before a name, which passes over that and all below it.
func (c *crafted) passing(name string) ([]dns.RR, error) {
	label, above, _ := strings.Cut(name, ".")
	nsec := dns.Copy(c.sets[c.covering(name)][dns.TypeNSEC][0]).(*dns.NSEC)
	nsec.NextDomain = label + "-." + above // a hyphen sorts after all that is below
	sig, err := c.signed.signature([]dns.RR{nsec}, c.valid)
	if err != nil {
		return nil, err
	}
	return []dns.RR{nsec, sig}, nil
}
