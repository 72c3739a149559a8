package lookup

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// maxIterations is the most NSEC3 iterations that resolvers follow; beyond it they
// take the zone for insecure (RFC 9276, section 3.2; 150 in BIND and Unbound).
const maxIterations = 150

// evidence is the verified NSEC and NSEC3 records of an authority section.
type evidence struct {
	zone   string
	nsec   []*dns.NSEC
	nsec3  []*dns.NSEC3
	seal   seal          // of all of them together
	ttl    time.Duration // the longest
	broken error         // what was wrong with those left out
}

// evidenceIn verifies the denial records of a section.
func (k keyring) evidenceIn(sets []rrset, now time.Time) evidence {
	e := evidence{zone: k.zone, seal: seal{proof: Verified}}
	for _, s := range sets {
		if s.rtype != dns.TypeNSEC && s.rtype != dns.TypeNSEC3 {
			continue
		}
		sl, err := k.verify(s, now)
		if err == nil && sl.labels != labelCount(s.name) {
			err = &problem{FaultBadSignature, fmt.Sprintf("%s %s: expanded from a wildcard, which proves nothing", s.name, typeName(s.rtype))}
		}
		if err != nil {
			e.broken = err
			continue
		}
		e.seal = e.seal.with(sl)
		e.ttl = max(e.ttl, s.longest())
		for _, rr := range s.rrs {
			switch rr := rr.(type) {
			case *dns.NSEC:
				e.nsec = append(e.nsec, rr)
			case *dns.NSEC3:
				if rr.Hash == dns.SHA1 && dns.CountLabel(s.name) == dns.CountLabel(k.zone)+1 && dns.IsSubDomain(k.zone, s.name) {
					e.nsec3 = append(e.nsec3, rr)
				}
			}
		}
	}
	return e
}

// unfollowed returns the number of NSEC3 iterations if resolvers do not go that far.
func (e evidence) unfollowed() (uint16, bool) {
	for _, n := range e.nsec3 {
		if n.Iterations > maxIterations {
			return n.Iterations, true
		}
	}
	return 0, false
}

// shown is what a proof shows beside the denial.
type shown struct {
	optOut bool // by an NSEC3 span with opt-out: insecure (RFC 5155, section 9.2)
}

// noData reports why the evidence does not show that name has no RRset of type t
// (RFC 4035, section 5.4; RFC 5155, sections 8.5 and 8.7).
func (e evidence) noData(name string, t uint16) (shown, error) {
	if len(e.nsec3) > 0 {
		return e.noData3(name, t)
	}
	if n := e.nsecAt(name); n != nil {
		return shown{}, lacks(n.Hdr.Name, n.TypeBitMap, t)
	}
	n := e.nsecOver(name)
	if n == nil {
		return shown{}, e.unproven("no NSEC record at or over %s", name)
	}
	if below(dns.CanonicalName(n.NextDomain), name) {
		return shown{}, nil // an empty non-terminal
	}
	star := wildcard(e.encloser(name, n))
	w := e.nsecAt(star)
	if w == nil {
		return shown{}, e.unproven("%s does not exist by its NSEC, and there is no NSEC at %s", name, star)
	}
	return shown{}, lacks(w.Hdr.Name, w.TypeBitMap, t)
}

// nxDomain reports why the evidence does not show that name does not exist
// (RFC 4035, section 5.4; RFC 5155, section 8.4).
func (e evidence) nxDomain(name string) (shown, error) {
	if len(e.nsec3) > 0 {
		return e.nxDomain3(name)
	}
	n := e.nsecOver(name)
	if n == nil {
		return shown{}, e.unproven("no NSEC record over %s", name)
	}
	if below(dns.CanonicalName(n.NextDomain), name) {
		return shown{}, e.unproven("NXDOMAIN for %s, which by its NSEC has names below it", name)
	}
	if star := wildcard(e.encloser(name, n)); e.nsecOver(star) == nil {
		return shown{}, e.unproven("no NSEC record over the wildcard %s", star)
	}
	return shown{}, nil
}

// notCloser reports why the evidence does not show that a wildcard below the last
// n labels of name is the closest match (RFC 4035, section 5.3.4; RFC 5155, section 8.8).
func (e evidence) notCloser(name string, n int) error {
	next := last(name, n+1)
	if len(e.nsec3) > 0 {
		if e.nsec3Over(next) == nil {
			return e.unproven("expanded from a wildcard, and no NSEC3 record over %s", next)
		}
		return nil
	}
	nsec := e.nsecOver(name)
	if nsec == nil || dns.CountLabel(e.encloser(name, nsec)) > n || below(dns.CanonicalName(nsec.NextDomain), name) {
		return e.unproven("expanded from a wildcard, and no NSEC record over %s", next)
	}
	return nil
}

// nsecAt returns the NSEC record at name.
func (e evidence) nsecAt(name string) *dns.NSEC {
	for _, n := range e.nsec {
		if n.Hdr.Name == name {
			return n
		}
	}
	return nil
}

// nsecOver returns an NSEC record whose span name lies in.
func (e evidence) nsecOver(name string) *dns.NSEC {
	if !dns.IsSubDomain(e.zone, name) {
		return nil
	}
	for _, n := range e.nsec {
		owner, next := n.Hdr.Name, dns.CanonicalName(n.NextDomain)
		if compareNames(owner, name) >= 0 {
			continue
		}
		// The last NSEC of a zone leads back to the apex, and spans all that follows.
		if next != e.zone && compareNames(name, next) >= 0 {
			continue
		}
		if below(name, owner) && occluding(n.TypeBitMap) {
			continue
		}
		return n
	}
	return nil
}

// encloser is the closest encloser of name by the NSEC record over it.
func (e evidence) encloser(name string, n *dns.NSEC) string {
	a, b := closest(name, n.Hdr.Name), closest(name, dns.CanonicalName(n.NextDomain))
	if dns.CountLabel(a) > dns.CountLabel(b) {
		return a
	}
	return b
}

// occluding reports whether a name with these types hides what is below it: a
// delegation or a DNAME (RFC 6840, section 4.1).
func occluding(types []uint16) bool {
	return slices.Contains(types, dns.TypeDNAME) || delegating(types)
}

func delegating(types []uint16) bool {
	return slices.Contains(types, dns.TypeNS) && !slices.Contains(types, dns.TypeSOA)
}

// lacks reports why a type bitmap does not show that there is no RRset of type t.
func lacks(owner string, types []uint16, t uint16) error {
	for _, there := range []uint16{t, dns.TypeCNAME} {
		if slices.Contains(types, there) {
			return &problem{FaultUnproven, fmt.Sprintf("the denial's own proof at %s says that there is a %s record", owner, typeName(there))}
		}
	}
	if delegating(types) {
		return &problem{FaultUnproven, fmt.Sprintf("the denial's proof at %s is of the parent side of a zone cut", owner)}
	}
	return nil
}

// unproven is the problem of a denial that lacks its proof. What made records
// unusable tells more than that they are missing.
func (e evidence) unproven(format string, args ...any) error {
	if e.broken != nil {
		return e.broken
	}
	return &problem{FaultUnproven, "denied without proof: " + fmt.Sprintf(format, args...)}
}
