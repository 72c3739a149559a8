package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A CraftedZone is a zone that no name server of Debian would serve as it is: the lab signs
// it and answers for it by itself. It stands below example.org., which delegates it.
type CraftedZone struct {
	Name    string // as "expired.example.org."
	Servers []CraftedServer
	// NoDS leaves the DS out of the zone above: what is signed here helps nobody.
	NoDS bool
}

// A CraftedServer is what one of a zone's servers makes of it.
type CraftedServer struct {
	// Records are lines as in a zone file, with absolute names; SOA and NS are there without.
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
	// ForResolvers is what it makes of it where a resolver of the lab asks; nil: the same. So
	// it is no chance which of the servers they hear, and they may have heard something
	// else before.
	ForResolvers *CraftedServer
}

// A CraftedZone's data in the form in which one server answers from it.
type crafted struct {
	CraftedServer
	origin string
	sets   map[string]map[uint16][]dns.RR // with the signatures, by owner and the type that these are of
	chain  []*dns.NSEC
	signed *signedZone
	valid  validity
}

const craftedSerial = 7

// Craft serves a zone and has it delegated.
func (l *Lab) Craft(t testing.TB, z CraftedZone) {
	t.Helper()
	if err := l.craft(t.Context(), z); err != nil {
		t.Fatalf("lab: zone %s: %v", z.Name, err)
	}
}

func (l *Lab) craft(ctx context.Context, z CraftedZone) error {
	keys, err := newSignedZone(z.Name)
	if err != nil {
		return err
	}
	var at []*craftedServer
	var common []dns.RR
	var delegation []Change
	for i := range z.Servers {
		server, err := l.craftedServer(i)
		if err != nil {
			return err
		}
		at = append(at, server)
		host := fmt.Sprintf("ns%d.%s", i+1, hostly(z.Name))
		ns, glue := &dns.NS{Hdr: header(z.Name, dns.TypeNS), Ns: host}, &dns.A{Hdr: header(host, dns.TypeA), A: server.addr.AsSlice()}
		delegation = append(delegation, Add(ns.String()), Add(glue.String()))
		if common = append(common, ns); dns.IsSubDomain(z.Name, host) {
			common = append(common, glue)
		}
	}
	common = append(common, soa(z.Name, "ns1."+hostly(z.Name), craftedSerial))
	if !z.NoDS {
		delegation = append(delegation, Add(keys.ds().String()))
	}
	for i, server := range z.Servers {
		said, err := newCrafted(keys, server, common)
		if err != nil {
			return err
		}
		answers := craftedAnswers{world: said, resolvers: said}
		if server.ForResolvers != nil {
			if answers.resolvers, err = newCrafted(keys, *server.ForResolvers, common); err != nil {
				return err
			}
		}
		at[i].put(z.Name, answers)
	}
	if err := l.Edit(ctx, delegation...); err != nil {
		return err
	}
	return l.second.bringOver(ctx, time.Time{})
}

// hostly is a name without the labels that no host may have.
func hostly(name string) string {
	for strings.HasPrefix(name, "_") {
		_, name, _ = strings.Cut(name, ".")
	}
	return name
}

// newCrafted signs what a server has and puts it in order.
func newCrafted(keys *signedZone, server CraftedServer, common []dns.RR) (*crafted, error) {
	c := &crafted{CraftedServer: server, origin: keys.origin, signed: keys, valid: validFor(cmp.Or(server.Until, signatureLife))}
	rrs := slices.Clone(common)
	for _, line := range c.Records {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			return nil, fmt.Errorf("record %q: %w", line, err)
		}
		if !dns.IsSubDomain(c.origin, rr.Header().Name) {
			return nil, fmt.Errorf("record %q: not in the zone", line)
		}
		rrs = append(rrs, rr)
	}
	rrs, err := c.signed.sign(rrs, c.valid)
	if err != nil {
		return nil, err
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
	return c, nil
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
