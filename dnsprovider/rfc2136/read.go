package rfc2136

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

// sight is what the server's copy holds at an owner name.
type sight struct {
	rrset tlsa.RRset
	mixed bool // the records have several TTLs; rrset has the lowest
}

// query asks for what stands in the server's own copy: not recursively.
func query(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	m.RecursionDesired = false
	return m
}

// look reads what the server's copy holds at each owner name. Whatever it cannot
// say of one is that one's trouble.
func (s *session) look(ctx context.Context, zone string, owners []tlsa.Owner) ([]sight, []*trouble) {
	var queries []*dns.Msg
	for _, owner := range owners {
		queries = append(queries, query(string(owner), dns.TypeTLSA), query(below(owner), dns.TypeTLSA))
	}
	replies, troubles := s.ask(ctx, queries)
	sights, why := make([]sight, len(owners)), make([]*trouble, len(owners))
	for i, owner := range owners {
		if why[i] = troubles[2*i]; why[i] != nil {
			continue
		}
		sights[i], why[i] = s.p.interpret(zone, owner, replies[2*i])
		if why[i] == nil && !sights[i].rrset.Denial() && replies[2*i+1] != nil { // else the prerequisites will tell
			sights[i], why[i] = doubt(zone, owner, sights[i], replies[2*i+1])
		}
		why[i].at(s.address)
	}
	return sights, why
}

// below is a name under the owner that nobody has. Asked for it, a server tells two
// things that records at the owner do not: in which zone they are, by the SOA of the
// denial, and whether they come from a wildcard, which covers this name too (RFC 4592,
// section 2.2.1). Where there is no room for another label, it is the owner itself.
func below(owner tlsa.Owner) string {
	if name := "_below." + string(owner); len(name) < 255 {
		return name
	}
	return string(owner)
}

// doubt looks at records once more in the light of the reply to the query below them.
func doubt(zone string, owner tlsa.Owner, seen sight, reply *dns.Msg) (sight, *trouble) {
	if t := elsewhereZone(zone, owner, reply); t != nil {
		return sight{}, t
	}
	name := below(owner)
	covering := associations(reply, name).rrset
	if name != string(owner) && !covering.Denial() && covering.Same(seen.rrset) {
		return sight{}, nil // a wildcard's: at the name itself stands nothing
	}
	return seen, nil
}

// interpret makes a sight of the reply to a query for the TLSA records of owner.
func (p *Provider) interpret(zone string, owner tlsa.Owner, reply *dns.Msg) (sight, *trouble) {
	if t := spokenFor(zone, owner, reply); t != nil {
		return sight{}, t
	}
	seen := associations(reply, string(owner))
	if seen.mixed {
		p.log.Warn("the TLSA records have several TTLs, the lowest counts (RFC 2181, section 5.2)", "owner", string(owner), "ttl", seen.rrset.TTL)
	}
	return seen, nil
}

// spokenFor says why the reply tells nothing of what stands at owner, nil if it does.
func spokenFor(zone string, owner tlsa.Owner, reply *dns.Msg) *trouble {
	if t := noAnswer(reply.Rcode); t != nil {
		return t
	}
	if alias := aliasIn(reply, owner); alias != nil && reply.Authoritative {
		return &trouble{kind: dnsprovider.Alias, err: alias, hint: alias.Hint()}
	}
	if t := elsewhereZone(zone, owner, reply); t != nil {
		return t
	}
	if !reply.Authoritative {
		return &trouble{
			kind: dnsprovider.NoZone, err: fmt.Errorf("the server does not answer with authority for the zone %s", zone),
			hint: "is it the primary, and not a resolver; is the zone loaded there",
		}
	}
	return nil
}

// associations collects the TLSA records at name from an answer.
func associations(reply *dns.Msg, name string) sight {
	var as []tlsa.Association
	mixed := false
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
		mixed = mixed || (ttl >= 0 && t != ttl)
		if ttl < 0 || t < ttl {
			ttl = t
		}
		as = append(as, tlsa.Association{
			Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
			Data:   strings.ToLower(r.Certificate),
		})
	}
	if len(as) == 0 {
		return sight{}
	}
	return sight{tlsa.NewRRset(ttl, as...), mixed}
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

// elsewhereZone says that the name lies below a zone cut, as far as the reply tells: it
// refers to other servers, or the SOA of its denial is that of another zone.
func elsewhereZone(zone string, owner tlsa.Owner, reply *dns.Msg) *trouble {
	for _, rr := range reply.Ns {
		name := dns.CanonicalName(rr.Header().Name)
		if name == zone || !dnsprovider.InZone(string(owner), name) {
			continue
		}
		switch rr := rr.(type) {
		case *dns.SOA:
			if dnsprovider.InZone(name, zone) {
				return cut(zone, name, "this server has that zone as well")
			}
			return &trouble{
				kind: dnsprovider.NoZone, err: fmt.Errorf("the server has no zone %s, the name lies in its zone %s", zone, name),
				hint: "is that the name of the zone",
			}
		case *dns.NS:
			if dnsprovider.InZone(name, zone) && !reply.Authoritative {
				return cut(zone, name, "its servers are "+dns.CanonicalName(rr.Ns)+" and such")
			}
		}
	}
	return nil
}

func cut(zone, child, servers string) *trouble {
	return &trouble{
		kind: dnsprovider.OutsideZone,
		err:  fmt.Errorf("the name lies below the zone cut at %s and so not in the zone %s", child, zone),
		hint: "the provider has to name the zone " + child + "; " + servers,
	}
}
