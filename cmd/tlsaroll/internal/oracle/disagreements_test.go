package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Who is right where a client answers otherwise.
type who string

const (
	here   who = "here"       // rollover/tlsa
	there  who = "the client" // and what is done here has its reason
	either who = "either"     // the RFCs leave it open
)

// A disagreement is a class of cases in which a client answers otherwise.
type disagreement struct {
	clients      []string
	ours, theirs verdict
	class        string // of what cases
	when         func(c *testCase) bool
	why          string
	rfc          string
	right        who
}

// anything is any verdict.
const anything verdict = ""

func (d disagreement) String() string {
	return fmt.Sprintf("%s %s, here it %s: %s: %s (%s; right: %s)", strings.Join(d.clients, ", "), d.theirs, cmp.Or(d.ours, "may do either"), d.class, d.why, d.rfc, d.right)
}

// explains reports whether a reply, which is not what is answered here, is of this class.
func (d disagreement) explains(r reply, ours answer) bool {
	return d.covers(r, ours) && d.theirs == r.answer.verdict
}

// covers reports whether the reply would have to be theirs.
func (d disagreement) covers(r reply, ours answer) bool {
	return slices.Contains(d.clients, r.client.name) && (d.ours == anything || d.ours == ours.verdict) && d.when(r.c)
}

// disagreements are all that is known, and why. They are of the versions in Debian 12:
// OpenSSL 3.0, Postfix 3.7, ldns 1.8 and GnuTLS 3.7.
func disagreements() []disagreement {
	return slices.Concat(ofOpenSSL(), ofLDNS(), ofGnuTLS())
}

// ofOpenSSL is its DANE code's, in whomever it stands.
func ofOpenSSL() []disagreement {
	return []disagreement{
		{
			[]string{"posttls-finger", "openssl", "ldns-dane"}, refuses, accepts,
			"the trust anchor is an intermediate that ended",
			func(c *testCase) bool { return c.in("the intermediate ended") && c.names(tlsa.DANETA, c.house.inter) },
			"it looks at a trust anchor's dates only where that is self-signed; no client can be counted on to overlook them",
			"RFC 5280, section 6.1.1 (d): a trust anchor has a name and a key", either,
		},
		{
			[]string{"openssl"}, accepts, refuses,
			"a key of RSA with 1024 bits",
			func(c *testCase) bool { return c.in("RSA of 1024 bits") },
			"Debian has OpenSSL refuse keys below 112 bits of strength; Postfix does not",
			"RFC 6698, section 4.1: what is too weak may be taken for unusable", either,
		},
		{
			[]string{"openssl", "ldns-dane"}, refuses, accepts,
			"a wildcard that is a part of a label, under all usages but DANE-EE",
			func(c *testCase) bool { return c.in(partial) && c.hits(tlsa.PKIXTA, tlsa.PKIXEE, tlsa.DANETA) },
			"it takes partial wildcards unless it is told otherwise, as Postfix does",
			"RFC 7672, section 3.2.3: the wildcard must be the entire first label", here,
		},
		{
			[]string{"openssl", "ldns-dane"}, accepts, refuses,
			"DANE-TA of a root that the client trusts anyway, beside a PKIX usage that does not match",
			func(c *testCase) bool {
				return c.uses(tlsa.PKIXTA, tlsa.PKIXEE) && !c.hits(tlsa.PKIXTA, tlsa.PKIXEE, tlsa.DANEEE) &&
					c.names(tlsa.DANETA, c.house.root) && !c.names(tlsa.DANETA, c.house.inter)
			},
			"with a PKIX usage in the RRset it takes the root from its own store, where it does not look for DANE-TA, though the server presents it as well",
			"RFC 7671, section 8: one match is enough", here,
		},
		{
			[]string{"openssl"}, refuses, accepts,
			"PKIX-EE, the missing intermediate in a 0 0 0",
			func(c *testCase) bool { return c.in("the leaf alone") && c.uses(tlsa.PKIXTA) && c.hits(tlsa.PKIXEE) },
			"it finds the way to a trusted root by certificates of other records; here each is judged alone",
			"RFC 6698, section 2.1.1: nothing is said of it", either,
		},
	}
}

func ofLDNS() []disagreement {
	return []disagreement{
		{
			[]string{"ldns-dane"}, accepts, refuses,
			"DANE-EE of a leaf for another host",
			func(c *testCase) bool { return c.in(elsewhere...) && c.hits(tlsa.DANEEE) },
			"it asks for the name once the record has matched, unless it is told not to for any usage",
			"RFC 7671, section 5.1: authenticated even if none of the names match", here,
		},
		{
			[]string{"ldns-dane"}, anything, silent,
			"a chain with a key or a signature that is weak",
			func(c *testCase) bool {
				return c.in("SHA-1 on the leaf", "SHA-1 on the intermediate", "RSA of 1024 bits")
			},
			"it takes the file for a chain of its own, which Debian has OpenSSL refuse if it is weak",
			"RFC 6698, section 4.1: what is too weak may be taken for unusable", either,
		},
		{
			[]string{"ldns-dane"}, accepts, refuses,
			"a CA certificate that is in DNS alone, above a leaf that is presented alone",
			func(c *testCase) bool { return c.in("the leaf alone") && c.has("2 0 0", c.house.inter) },
			"of a file with one certificate it hands OpenSSL no chain, which then looks at no certificate of a record either",
			"RFC 7671, section 5.2.2: the client MUST be able to do without", here,
		},
	}
}

// ofGnuTLS: what libdane asks is only whether the leaf, or a certificate presented above it,
// has the data, and whether each presented one signed the one before it.
func ofGnuTLS() []disagreement {
	gnutls := []string{"danetool"}
	return []disagreement{
		{
			gnutls, refuses, accepts, "another host, under all usages but DANE-EE",
			func(c *testCase) bool {
				return c.in(append([]string{partial}, elsewhere...)...) && c.hits(tlsa.PKIXTA, tlsa.PKIXEE, tlsa.DANETA)
			},
			"it asks for no name", "RFC 7671, section 5.2 and RFC 7672, section 3.2.2: the names must match", here,
		},
		{
			gnutls, refuses, accepts, "a PKIX usage, and no path to a trusted CA",
			func(c *testCase) bool {
				return c.hits(tlsa.PKIXEE) || c.hits(tlsa.PKIXTA) && c.in("the root ended", "path length exceeded", "name constraint violated", "a leaf for clients", "SHA-1 on the intermediate")
			},
			"it takes 0 for 2 and 1 for 3", "RFC 7671, section 5.3: in addition, PKIX verification is required", here,
		},
		{
			gnutls, refuses, accepts, "the trust anchor ended",
			func(c *testCase) bool { return c.in("the root ended") && c.names(tlsa.DANETA, c.house.root) },
			"it does not look at a trust anchor's dates", "RFC 5280, section 6.1.1 (d): a trust anchor has a name and a key", either,
		},
		{
			gnutls, refuses, accepts, "constraints of the CAs, and what the leaf is for",
			func(c *testCase) bool {
				return c.in("path length exceeded", "name constraint violated") && c.names(tlsa.DANETA, c.house.root) || c.in("a leaf for clients") && c.hits(tlsa.DANETA)
			},
			"it applies none", "RFC 7671, section 5.2.1: the client SHOULD apply any relevant constraints", here,
		},
		{
			gnutls, refuses, accepts, "a signature made with SHA-1, above the issuer",
			func(c *testCase) bool { return c.in("SHA-1 on the intermediate") && c.names(tlsa.DANETA, c.house.root) },
			"it verifies the leaf's signature alone", "RFC 6698, section 4.1: what is too weak may be taken for unusable", here,
		},
		{
			gnutls, refuses, accepts, "a weaker digest that is right, beside a stronger one that is wrong",
			func(c *testCase) bool { return strings.HasPrefix(c.name, "agility: ") },
			"it knows no digest agility", "RFC 7671, section 9: the strongest digest SHOULD be used", here,
		},
		{
			gnutls, refuses, accepts, "the trust anchor presented behind its own cross-certificate",
			func(c *testCase) bool {
				return c.in("cross-signed, and the new root too") && c.names(tlsa.DANETA, c.house.root)
			},
			"it does not take one path, but any certificate that is presented; here one path is taken, as Postfix does", "RFC 6698, section 2.1.1: any certificate that matches is to be considered to be a trust anchor", there,
		},
		{
			gnutls, accepts, refuses, "a trust anchor that is in DNS alone",
			func(c *testCase) bool {
				return c.in("without the root", "cross-signed") && c.has("2 0 0", c.house.root) || c.in("without the root") && c.has("2 1 0", c.house.root)
			},
			"it looks among the certificates that are presented", "RFC 7671, sections 5.2.2 and 5.2.3: for 2 0 0 the client MUST manage, for 2 1 0 it is RECOMMENDED", here,
		},
		{
			gnutls, unusable, refuses, "data that is malformed, or of a matching type that nobody knows",
			func(c *testCase) bool { return c.in(ordinary) && !undefined(c) }, "it compares them, and finds that they differ", "RFC 7671, section 9: malformed records are unusable", here,
		},
		{
			gnutls, unusable, silent, "a usage or selector that nobody knows",
			undefined, "it passes such records over, and ends with an error if no other is left", "RFC 6698, section 4.1: as if there were no record", either,
		},
		{
			gnutls, anything, silent, "a record of a CA, and a leaf that is presented alone",
			func(c *testCase) bool {
				return len(c.house.chain) == 1 && c.uses(tlsa.DANETA, tlsa.PKIXTA) && !c.hits(tlsa.DANEEE, tlsa.PKIXEE)
			},
			"it ends with an error", "RFC 7671, section 5.2: no match, but for 2 0 0 and 2 1 0", here,
		},
	}
}
