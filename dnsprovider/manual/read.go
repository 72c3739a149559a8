package manual

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// read reads what stands at owner at the primary. What a wildcard gives there does not.
func (p *Provider) read(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, *trouble) {
	if t := ended(ctx); t != nil {
		return tlsa.RRset{}, t
	}
	replies, address, t := p.askAny(ctx, zone, query(string(owner), dns.TypeTLSA), query(below(owner), dns.TypeTLSA))
	if t != nil {
		return tlsa.RRset{}, t
	}
	found, t := interpret(zone, owner, replies)
	return found, t.at(address)
}

// interpret makes an RRset of the replies to the queries for owner and for the name below it.
func interpret(zone string, owner tlsa.Owner, replies []*dns.Msg) (tlsa.RRset, *trouble) {
	if t := spokenFor(zone, owner, replies[0]); t != nil {
		return tlsa.RRset{}, t
	}
	found := associations(replies[0], string(owner))
	if found.Denial() {
		return tlsa.RRset{}, nil
	}
	if t := elsewhere(zone, owner, replies[1]); t != nil {
		return tlsa.RRset{}, t
	}
	if name := below(owner); name != string(owner) {
		if covering := associations(replies[1], name); !covering.Denial() && covering.Same(found) {
			return tlsa.RRset{}, nil
		}
	}
	return found, nil
}

// below is a name under the owner that nobody has. Asked for it, a server tells two things
// that records at the owner do not: in which zone they are, by the SOA of the denial, and
// whether they come from a wildcard, which covers this name too (RFC 4592, section 2.2.1).
// Where there is no room for another label, it is the owner itself.
func below(owner tlsa.Owner) string {
	if name := "_below." + string(owner); len(name) < 255 {
		return name
	}
	return string(owner)
}

// spokenFor says why the reply tells nothing of what stands at owner, nil if it does.
func spokenFor(zone string, owner tlsa.Owner, reply *dns.Msg) *trouble {
	if t := noAnswer(reply); t != nil {
		return t
	}
	if alias := aliasIn(reply, owner); alias != nil && reply.Authoritative {
		return &trouble{kind: dnsprovider.Alias, err: alias, hint: alias.Hint()}
	}
	if t := elsewhere(zone, owner, reply); t != nil {
		return t
	}
	if !reply.Authoritative {
		return notAuthoritative("the zone " + zone)
	}
	return nil
}

// associations collects the TLSA records at name from an answer. With several TTLs the lowest
// counts (RFC 2181, section 5.2).
func associations(reply *dns.Msg, name string) tlsa.RRset {
	var as []tlsa.Association
	ttl := time.Duration(-1)
	for _, rr := range reply.Answer {
		r, ok := rr.(*dns.TLSA)
		if !ok || dns.CanonicalName(r.Hdr.Name) != name || r.Hdr.Class != dns.ClassINET {
			continue
		}
		t := time.Duration(r.Hdr.Ttl) * time.Second
		if r.Hdr.Ttl > math.MaxInt32 {
			t = 0 // RFC 2181, section 8
		}
		if ttl < 0 || t < ttl {
			ttl = t
		}
		as = append(as, tlsa.Association{
			Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
			Data:   strings.ToLower(r.Certificate),
		})
	}
	if len(as) == 0 {
		return tlsa.RRset{}
	}
	return tlsa.NewRRset(ttl, as...)
}

// aliasIn returns the alias that stands in the way of records at owner: a CNAME at the name,
// or a DNAME above it (RFC 6672, section 2.4).
func aliasIn(reply *dns.Msg, owner tlsa.Owner) *dnsprovider.AliasError {
	var alias *dnsprovider.AliasError
	for _, rr := range reply.Answer {
		name := dns.CanonicalName(rr.Header().Name)
		switch rr := rr.(type) {
		case *dns.DNAME:
			if name != string(owner) && dnsprovider.InZone(string(owner), name) {
				return &dnsprovider.AliasError{Type: "DNAME", At: tlsa.Owner(name), Target: tlsa.Owner(dns.CanonicalName(rr.Target))}
			}
		case *dns.CNAME:
			if name == string(owner) {
				alias = &dnsprovider.AliasError{Type: "CNAME", At: owner, Target: tlsa.Owner(dns.CanonicalName(rr.Target))}
			}
		}
	}
	return alias
}

// elsewhere says that the name lies in another zone, as far as the reply tells: it refers
// to other servers, or the SOA of its denial is that of another zone.
func elsewhere(zone string, owner tlsa.Owner, reply *dns.Msg) *trouble {
	for _, rr := range reply.Ns {
		name := dns.CanonicalName(rr.Header().Name)
		_, soa := rr.(*dns.SOA)
		_, ns := rr.(*dns.NS)
		switch {
		case name == zone || !dnsprovider.InZone(string(owner), name):
		case soa && !dnsprovider.InZone(name, zone):
			return &trouble{
				kind: dnsprovider.NoZone, err: fmt.Errorf("the server has no zone %s, the name lies in its zone %s", zone, name),
				hint: "is that the name of the zone",
			}
		case soa, ns && !reply.Authoritative && dnsprovider.InZone(name, zone):
			return &trouble{
				kind: dnsprovider.OutsideZone, err: fmt.Errorf("the name lies below the zone cut at %s and so not in the zone %s", name, zone),
				hint: "the provider has to name the zone " + name,
			}
		}
	}
	return nil
}
