package lookup

import "github.com/miekg/dns"

// optOutFlag is the Opt-Out bit of an NSEC3 record (RFC 5155, section 3.1.2.1).
const optOutFlag = 1

// noData3 is noData by NSEC3 records.
func (e evidence) noData3(name string, t uint16) (shown, error) {
	if n := e.nsec3At(name); n != nil {
		return shown{}, lacks(name, n.TypeBitMap, t)
	}
	ce, _, over := e.encloser3(name)
	if over == nil {
		return shown{}, e.unproven("no NSEC3 record at %s, and none that shows its closest encloser", name)
	}
	if w := e.nsec3At(wildcard(ce)); w != nil {
		return shown{}, lacks(wildcard(ce), w.TypeBitMap, t)
	}
	// Names in an opt-out span may exist without a record of their own, as empty
	// non-terminals of insecure delegations do.
	if over.Flags&optOutFlag != 0 {
		return shown{optOut: true}, nil
	}
	return shown{}, e.unproven("no NSEC3 record at %s nor at %s", name, wildcard(ce))
}

// nxDomain3 is nxDomain by NSEC3 records.
func (e evidence) nxDomain3(name string) (shown, error) {
	ce, next, over := e.encloser3(name)
	if over == nil {
		return shown{}, e.unproven("no NSEC3 records that show the closest encloser of %s", name)
	}
	if ce == name {
		return shown{}, e.unproven("NXDOMAIN for %s, which by its NSEC3 exists", name)
	}
	star := e.nsec3Over(wildcard(ce))
	if star == nil {
		return shown{}, e.unproven("%s does not exist, but no NSEC3 record is over the wildcard %s", next, wildcard(ce))
	}
	return shown{optOut: over.Flags&optOutFlag != 0}, nil
}

// encloser3 returns the closest encloser of name, the next closer name, and the
// NSEC3 record over that (RFC 5155, section 8.3); over is nil if it is not proven.
func (e evidence) encloser3(name string) (encloser, next string, over *dns.NSEC3) {
	next = name
	for ce := name; dns.IsSubDomain(e.zone, ce); ce = parent(ce) {
		n := e.nsec3At(ce)
		if n == nil {
			next = ce
			if ce == "." {
				break
			}
			continue
		}
		if ce == name {
			return ce, next, n
		}
		if occluding(n.TypeBitMap) {
			return "", "", nil
		}
		return ce, next, e.nsec3Over(next)
	}
	return "", "", nil
}

func (e evidence) nsec3At(name string) *dns.NSEC3 {
	for _, n := range e.nsec3 {
		if n.Match(name) {
			return n
		}
	}
	return nil
}

// nsec3Over returns an NSEC3 record whose span the name's hash lies in: behind the record's own
// (RFC 5155, section 1.3), which the library takes for covered, too.
func (e evidence) nsec3Over(name string) *dns.NSEC3 {
	for _, n := range e.nsec3 {
		if n.Cover(name) && !n.Match(name) {
			return n
		}
	}
	return nil
}
