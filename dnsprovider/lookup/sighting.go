package lookup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A sighting is what one server gives for one name. Where err is set nothing else
// is believed; rrset may then still hold what was given.
type sighting struct {
	server server
	zone   string
	name   string
	err    error

	rrset    tlsa.RRset // without the TTLs of aliases; a denial has none
	denied   bool
	expanded bool // from a wildcard

	leads string        // instead of an RRset: the target of an alias, or a zone cut
	cut   bool          // leads is a zone cut
	lasts time.Duration // TTL of the alias

	seal     seal
	keys     []string // tags of the DNSKEYs it gives
	findings []Finding
}

// sightings asks all servers of z for the TLSA records at name.
func (p *Pass) sightings(ctx context.Context, z *zone, name string) ([]sighting, error) {
	return p.sights.do(ctx, [2]string{z.name, name}, func() ([]sighting, error) {
		out := make([]sighting, len(z.servers))
		each(z.servers, func(i int, s server) { out[i] = p.sight(ctx, z, s, name) })
		return out, ctx.Err()
	})
}

// sight asks one server for the TLSA records at name.
func (p *Pass) sight(ctx context.Context, z *zone, srv server, name string) sighting {
	s := sighting{server: srv, zone: z.name, name: name}
	r, err := p.askServer(ctx, z.name, srv.addr, question{name: name, qtype: dns.TypeTLSA})
	if err != nil {
		s.err = err
		return s
	}
	if r.udpLost {
		s.note(FindingUDPLost, Warning, srv.String(), "%s answers over TCP only (hint: is UDP port %d filtered, or a reply of up to %d octets lost on the way?)", srv, srv.addr.Port(), udpSize)
	}
	if cut, ok := referral(r.Msg, z.name, name); ok {
		s.leads, s.cut = cut, true
		return s
	}
	if s.err = authoritative(r.Msg); s.err != nil {
		if faultOf(s.err) == FaultLame {
			s.note(FindingLame, Warning, srv.String(), "%s is named as a server of %s, but gives %s", srv, z.name, s.err)
		}
		return s
	}
	if cut, ok := deeper(r.Msg, z.name, name); ok {
		s.leads, s.cut = cut, true
		return s
	}
	j, err := p.judgeFor(ctx, z, srv, r.Msg)
	if err != nil {
		s.err = err
		return s
	}
	if j.hidden {
		s.note(FindingHiddenUnsigned, Info, srv.String(), "hidden server %s gives no signatures for %s; it is asked for content only", srv, z.name)
	}
	s.keys = j.ring.tags
	s.read(j, r.Msg)
	if s.err == nil && j.signed {
		s.seal = s.seal.with(j.ring.seal)
	}
	if s.seal.proof == ByResolver {
		s.note(FindingUnverified, Info, z.name, "zone %s is signed with algorithms that tlsaroll cannot check: what they are worth rests on the validating resolver", z.name)
	}
	return s
}

func (s *sighting) note(code string, severity Severity, about, format string, args ...any) {
	s.findings = append(s.findings, finding(code, severity, about, format, args...))
}

// A judge checks signatures where the zone has them.
type judge struct {
	ring   keyring
	signed bool
	hidden bool // a hidden server before the signer
	now    time.Time
}

// judgeFor decides whether the answers of srv must be signed, and by which keys.
func (p *Pass) judgeFor(ctx context.Context, z *zone, srv server, m *dns.Msg) (judge, error) {
	j := judge{now: p.now()}
	if z.security == Insecure {
		return j, nil // nobody checks signatures there
	}
	if srv.source == SourceHidden && !slices.ContainsFunc(slices.Concat(m.Answer, m.Ns), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG }) {
		j.hidden = true
		return j, nil
	}
	ring, err := p.ringAt(ctx, z, srv)
	j.ring, j.signed = ring, z.signed() || len(ring.keys) > 0
	return j, err
}

func (j judge) check(s rrset) (seal, error) {
	if !j.signed {
		return seal{proof: Unproved, labels: labelCount(s.name)}, nil
	}
	return j.ring.verify(s, j.now)
}

// read finds out what an authoritative answer says of the name.
func (s *sighting) read(j judge, m *dns.Msg) {
	sets := rrsets(lowered(m.Answer))
	records, has := find(sets, s.name, dns.TypeTLSA)
	alias, aliased := find(sets, s.name, dns.TypeCNAME)
	synthesis, synthesised := dname(sets, s.zone, s.name)
	switch {
	case has && (aliased || synthesised):
		s.err = &problem{FaultMalformed, "TLSA records beside an alias of the same name"}
	case has:
		s.readRRset(j, m, records)
	case synthesised:
		s.readDNAME(j, synthesis)
	case aliased:
		s.readCNAME(j, m, alias)
	case len(sets) > 0:
		s.err = &problem{FaultMalformed, fmt.Sprintf("an answer that speaks of %s", printable(sets[0].name))}
	default:
		s.readDenial(j, m)
	}
}

func (s *sighting) readRRset(j judge, m *dns.Msg, set rrset) {
	var as []tlsa.Association
	for _, rr := range set.rrs {
		t, ok := rr.(*dns.TLSA)
		if !ok {
			s.err = &problem{FaultMalformed, "a TLSA record that cannot be read"}
			return
		}
		p := tlsa.Params{Usage: tlsa.Usage(t.Usage), Selector: tlsa.Selector(t.Selector), Matching: tlsa.MatchingType(t.MatchingType)}
		as = append(as, tlsa.Association{Params: p, Data: strings.ToLower(t.Certificate)})
	}
	s.rrset = tlsa.NewRRset(set.longest(), as...)
	if s.checkExpansion(j, m, set); s.err != nil {
		return
	}
	if s.expanded {
		s.note(FindingWildcard, Info, s.name, "%s: the answer is expanded from a wildcard; a record at the name itself would replace it", s.name)
	}
	least, most := set.mixed()
	if least != most {
		s.note(FindingMixedTTL, Warning, s.name, "%s: %s gives records with TTLs from %s to %s in one RRset (RFC 2181, section 5.2); the longest is reckoned with", s.name, s.server, least, most)
	}
	for _, sig := range set.sigs {
		if original := ttl(sig.OrigTtl); original != most && j.signed {
			s.note(FindingSignatureTTL, Warning, s.name, "%s: %s gives a TTL of %s, signed is %s; the longer is reckoned with", s.name, s.server, most, original)
			break
		}
	}
}

// checkExpansion verifies a positive RRset and, if a wildcard was expanded, that
// there was no closer match (RFC 4035, section 5.3.4).
func (s *sighting) checkExpansion(j judge, m *dns.Msg, set rrset) {
	sl, err := j.check(set)
	if err != nil {
		s.err = err
		return
	}
	s.seal = sl
	if !j.signed || sl.labels == labelCount(s.name) {
		return
	}
	s.expanded = true
	proof := j.ring.evidenceIn(rrsets(lowered(m.Ns)), j.now)
	if s.err = proof.notCloser(s.name, sl.labels); s.err == nil {
		s.seal = s.seal.with(proof.seal)
	}
}

func (s *sighting) readCNAME(j judge, m *dns.Msg, set rrset) {
	c, ok := set.rrs[0].(*dns.CNAME)
	if !ok || len(set.rrs) > 1 {
		s.err = &problem{FaultMalformed, "more than one CNAME at a name (RFC 2181, section 10.1)"}
		return
	}
	s.checkExpansion(j, m, set)
	s.leads, s.lasts = dns.CanonicalName(c.Target), set.longest()
}

// dname finds the DNAME that the alias at name was made from (RFC 6672, section 3).
func dname(sets []rrset, zone, name string) (rrset, bool) {
	for _, s := range sets {
		if s.rtype == dns.TypeDNAME && below(name, s.name) && dns.IsSubDomain(zone, s.name) {
			return s, true
		}
	}
	return rrset{}, false
}

// readDNAME derives the alias from the DNAME itself: that is what is signed.
func (s *sighting) readDNAME(j judge, set rrset) {
	d, ok := set.rrs[0].(*dns.DNAME)
	if !ok || len(set.rrs) > 1 {
		s.err = &problem{FaultMalformed, "more than one DNAME at a name"}
		return
	}
	prefix := s.name
	if set.name != "." {
		prefix = strings.TrimSuffix(s.name, set.name)
	}
	target := dns.CanonicalName(prefix + strings.TrimPrefix(d.Target, "."))
	if _, ok := dns.IsDomainName(target); !ok {
		s.err = &problem{FaultMalformed, fmt.Sprintf("the DNAME at %s makes a name that is too long", set.name)}
		return
	}
	s.seal, s.err = j.check(set)
	s.leads, s.lasts = target, set.longest()
}
