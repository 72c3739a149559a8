package rfc2136

import (
	"context"
	"fmt"
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

// below is a name under the owner that nobody has. Asked for it, a server tells two
// things that the answer for the owner itself does not: in which zone it lies, by the
// SOA of the denial, and whether the records came from a wildcard, which
// covers this name too (RFC 4592, section 2.2.1).
func below(owner tlsa.Owner) (string, bool) {
	name := "_tlsaroll-below." + string(owner)
	return name, len(name) < 255
}

// look reads what the server's copy holds at each owner name. Whatever it cannot
// say of one is that one's trouble.
func (s *session) look(ctx context.Context, zone string, owners []tlsa.Owner) ([]sight, []*trouble) {
	sights := make([]sight, len(owners))
	queries := make([]*dns.Msg, len(owners))
	for i, owner := range owners {
		queries[i] = query(string(owner), dns.TypeTLSA)
	}
	replies, troubles := s.ask(ctx, queries)
	var doubtful []int
	for i, owner := range owners {
		if troubles[i] != nil {
			continue
		}
		sights[i], troubles[i] = s.p.interpret(zone, owner, replies[i])
		if troubles[i] == nil && !sights[i].rrset.Denial() {
			doubtful = append(doubtful, i)
		}
		troubles[i].at(s.address)
	}
	s.doubt(ctx, zone, doubtful, func(i int) (tlsa.Owner, *sight, **trouble) { return owners[i], &sights[i], &troubles[i] })
	return sights, troubles
}

// doubt looks below the owners at which records were seen.
func (s *session) doubt(ctx context.Context, zone string, doubtful []int, of func(int) (tlsa.Owner, *sight, **trouble)) {
	var queries []*dns.Msg
	var asked []int
	for _, i := range doubtful {
		owner, _, _ := of(i)
		if name, fits := below(owner); fits {
			queries = append(queries, query(name, dns.TypeTLSA))
			asked = append(asked, i)
		}
	}
	replies, troubles := s.ask(ctx, queries)
	for n, i := range asked {
		if troubles[n] != nil {
			continue // the prerequisites will tell
		}
		owner, seen, t := of(i)
		if zoneTrouble := elsewhereZone(zone, owner, replies[n]); zoneTrouble != nil {
			*t = zoneTrouble.at(s.address)
			continue
		}
		covering, _, _ := associations(replies[n], queries[n].Question[0].Name)
		if !covering.Denial() && covering.Same(seen.rrset) {
			*seen = sight{} // a wildcard's: at the name itself stands nothing
		}
	}
}

// interpret makes a sight of the reply to a query for the TLSA records of owner.
func (p *Provider) interpret(zone string, owner tlsa.Owner, reply *dns.Msg) (sight, *trouble) {
	if t := p.noAnswer(reply.Rcode, subject{zone, owner}); t != nil {
		return sight{}, t
	}
	if alias := aliasIn(reply, owner); alias != nil && reply.Authoritative {
		return sight{}, &trouble{kind: dnsprovider.Alias, err: alias, hint: alias.Hint()}
	}
	if t := elsewhereZone(zone, owner, reply); t != nil {
		return sight{}, t
	}
	if !reply.Authoritative {
		return sight{}, &trouble{
			kind: dnsprovider.NoZone, err: fmt.Errorf("the server does not answer with authority for the zone %s", zone),
			hint: "is it the primary, and not a resolver; is the zone loaded there",
		}
	}
	rrset, mixed, err := associations(reply, string(owner))
	if err != nil {
		return sight{}, &trouble{kind: dnsprovider.Malformed, err: err}
	}
	if mixed {
		p.log.Warn("the TLSA records have several TTLs, the lowest counts (RFC 2181, section 5.2)", "owner", string(owner), "ttl", rrset.TTL)
	}
	return sight{rrset, mixed}, nil
}

// associations collects the TLSA records at name from an answer.
func associations(reply *dns.Msg, name string) (rrset tlsa.RRset, mixed bool, err error) {
	var as []tlsa.Association
	ttl := time.Duration(-1)
	for _, rr := range reply.Answer {
		r, ok := rr.(*dns.TLSA)
		if !ok || dns.CanonicalName(r.Hdr.Name) != name || r.Hdr.Class != dns.ClassINET {
			continue
		}
		if r.Hdr.Ttl > 1<<31-1 {
			r.Hdr.Ttl = 0 // RFC 2181, section 8
		}
		t := time.Duration(r.Hdr.Ttl) * time.Second
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
		return tlsa.RRset{}, false, nil
	}
	return tlsa.NewRRset(ttl, as...), mixed, nil
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
