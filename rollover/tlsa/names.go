package tlsa

import (
	"crypto/x509"
	"strings"
)

// presented gives the identifiers of a certificate (RFC 7672, section 3.2.3):
// the DNS-IDs; the CN-ID only where there are none. What is no host name can match
// no reference identifier and is left out, but still keeps the CN-ID out.
func presented(cert *x509.Certificate) []string {
	ids := cert.DNSNames
	if len(ids) == 0 {
		ids = []string{cert.Subject.CommonName}
	}
	var names []string
	for _, id := range ids {
		if name, err := CanonicalHost(id); err == nil && len(name) == len(id) {
			names = append(names, name)
		}
	}
	return names
}

// IsFor reports whether the leaf is for a host, given in the form of
// [CanonicalHost], as DANE-TA asks (RFC 7672, section 3.2.3).
func (c *Chain) IsFor(host string) bool { return c.named([]string{host}) }

// named reports whether one of the leaf's identifiers matches one of names.
func (c *Chain) named(names []string) bool {
	for _, id := range c.names {
		for _, name := range names {
			if identifies(id, name) {
				return true
			}
		}
	}
	return false
}

// identifies reports whether a presented identifier matches a reference
// identifier. A wildcard is the whole first label, stands for exactly one (RFC
// 7672, section 3.2.3) and is followed by two at least, as OpenSSL wants.
func identifies(id, name string) bool {
	if id == name {
		return true
	}
	parent, wild := strings.CutPrefix(id, "*.")
	_, rest, _ := strings.Cut(name, ".")
	return wild && parent == rest && strings.Contains(parent, ".")
}
