package demo

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"
)

// A denial is the verified NSEC records of a reply.
type denial struct {
	zone string
	nsec []*dns.NSEC
}

// nameError says why it is not shown that name does not exist (RFC 4035, section 5.4).
func (d denial) nameError(name string) error {
	over := d.over(name)
	if over == nil || dns.IsSubDomain(name, over.NextDomain) {
		return fmt.Errorf("%s is denied without proof", name)
	}
	encloser := longer(ancestor(name, over.Hdr.Name), ancestor(name, over.NextDomain))
	if d.over(wildcardAt(encloser)) == nil {
		return fmt.Errorf("%s is denied without proof about the wildcard at %s", name, encloser)
	}
	return nil
}

// noData says why it is not shown that name has no records of a type, though it exists.
func (d denial) noData(name string, t uint16) error {
	for _, n := range d.nsec {
		if n.Hdr.Name != name {
			continue
		}
		if slices.Contains(n.TypeBitMap, t) || slices.Contains(n.TypeBitMap, dns.TypeCNAME) {
			return fmt.Errorf("%s %s is denied, and its NSEC says that it is there", name, dns.Type(t))
		}
		return nil
	}
	if over := d.over(name); over != nil && dns.IsSubDomain(name, over.NextDomain) {
		return nil // an empty non-terminal
	}
	return fmt.Errorf("%s %s is denied without proof", name, dns.Type(t))
}

// over is a record whose span name lies in. The last of a zone leads back to the apex.
func (d denial) over(name string) *dns.NSEC {
	for _, n := range d.nsec {
		if compareNames(n.Hdr.Name, name) < 0 && (n.NextDomain == d.zone || compareNames(name, n.NextDomain) < 0) {
			return n
		}
	}
	return nil
}

// ancestor is the longest name that a and b both are or lie below.
func ancestor(a, b string) string {
	for !dns.IsSubDomain(a, b) {
		a = up(a)
	}
	return a
}

func longer(a, b string) string {
	if dns.CountLabel(a) > dns.CountLabel(b) {
		return a
	}
	return b
}
