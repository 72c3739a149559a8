package lookup

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// readDenial reads NODATA or NXDOMAIN: with the SOA of the zone, and in a signed
// zone with the proof.
func (s *sighting) readDenial(j judge, m *dns.Msg) {
	sets := rrsets(lowered(m.Ns))
	set, ok := find(sets, s.zone, dns.TypeSOA)
	if !ok {
		s.err = &problem{FaultUnproven, fmt.Sprintf("denied without the SOA record of %s (RFC 2308, section 2)", s.zone)}
		for _, other := range sets {
			if other.rtype == dns.TypeSOA {
				s.err = &problem{FaultLame, fmt.Sprintf("it answers for %s: it does not serve %s", printable(other.name), s.zone)}
			}
		}
		return
	}
	soa, ok := set.rrs[0].(*dns.SOA)
	if !ok {
		s.err = &problem{FaultMalformed, "an SOA record that cannot be read"}
		return
	}
	s.denied = true
	// RFC 2308, section 5; and a cache that answers from NSEC records may keep
	// those longer (RFC 8198, section 5; RFC 9077, section 1).
	negative := min(set.longest(), ttl(soa.Minttl))
	s.rrset = tlsa.RRset{TTL: negative}
	if s.seal, s.err = j.check(set); s.err != nil || !j.signed {
		return
	}
	proof := j.ring.evidenceIn(sets, j.now)
	if proof.ttl > negative {
		s.rrset.TTL = proof.ttl
		s.note(FindingNegativeTTL, Info, s.zone, "zone %s: its NSEC records live %s, longer than a denial by its SOA, %s: resolvers may deny that long (RFC 9077, section 3)", s.zone, proof.ttl, negative)
	}
	s.seal = s.seal.with(proof.seal)
	if n, ok := proof.unfollowed(); ok {
		s.seal.proof = Unproved
		s.note(FindingIterations, Warning, s.zone, "zone %s: %d NSEC3 iterations, resolvers follow at most %d: its denials are insecure (RFC 9276, section 3.2)", s.zone, n, maxIterations)
		return
	}
	var sh shown
	if m.Rcode == dns.RcodeNameError {
		sh, s.err = proof.nxDomain(s.name)
	} else {
		sh, s.err = proof.noData(s.name, dns.TypeTLSA)
	}
	if sh.optOut {
		s.seal.proof = Unproved
		s.note(FindingOptOut, Info, s.name, "%s: denied in an NSEC3 opt-out span, which is insecure (RFC 5155, section 9.2)", s.name)
	}
}
