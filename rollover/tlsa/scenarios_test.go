package tlsa_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A scenario is a question to one DANE client and its answer. The same
// scenarios are put to OpenSSL where that is installed.
type scenario struct {
	name    string
	chain   []party
	records []tlsa.Association
	at      time.Time // now if zero
	host    string    // mx1.example.org if empty
	pkix    party     // what a client that knows public CAs trusts; then usages 0 and 1 count

	want    tlsa.Kind // empty: the chain is accepted
	depth   int       // of the certificate that the data matches, if any
	openssl string    // why OpenSSL answers otherwise
}

func (s scenario) reference() tlsa.Reference {
	ref := tlsa.Reference{Names: []string{host}, Time: now, SMTP: s.pkix.Certificate == nil}
	if s.host != "" {
		ref.Names = []string{s.host}
	}
	if s.pkix.Certificate != nil {
		ref.Roots = []*x509.Certificate{s.pkix.Certificate}
	}
	if !s.at.IsZero() {
		ref.Time = s.at
	}
	return ref
}

// scenarios covers every usage, selector and matching type, and the sentences
// of RFC 7671, sections 5 and 9, and RFC 7672, section 3.
func scenarios(t testing.TB) []scenario {
	var all []scenario
	for _, group := range []func(testing.TB) []scenario{
		everyCombination, leafAlone, anchors, disorder, crossCertificates, constrained, datesAndNames, fromDNS, agility, algorithms,
	} {
		all = append(all, group(t)...)
	}
	return all
}

func everyCombination(t testing.TB) (all []scenario) {
	root := issueCA(t, party{}, "Root")
	inter := issueCA(t, root, "Intermediate")
	leaf := issueLeaf(t, inter)
	chain := []party{leaf, inter, root}
	for usage := range 4 {
		for selector := range 2 {
			for matching := range 3 {
				combination := fmt.Sprintf("%d %d %d", usage, selector, matching)
				for depth, p := range chain {
					if (usage == 1 || usage == 3) != (depth == 0) {
						continue
					}
					s := scenario{
						name:  fmt.Sprintf("%s at depth %d", combination, depth),
						chain: chain, records: []tlsa.Association{record(t, combination, p)}, depth: depth,
					}
					if usage < 2 {
						s.pkix = root
					}
					all = append(all, s)
					if matching == 0 {
						continue // spoilt, it is malformed
					}
					s.name += ", spoilt"
					s.records = []tlsa.Association{spoilt(s.records[0])}
					s.want, s.depth = tlsa.KindNoAnchor, 0
					if depth == 0 {
						s.want = tlsa.KindNoMatch
					}
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// RFC 7671, section 5.1: "simply checking that the server's leaf certificate
// matches", "even if none of the names in the certificate match", "the
// expiration date of the server certificate MUST be ignored".
func leafAlone(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	other := issueCA(t, party{}, "Other")
	leaf := issueLeaf(t, root)
	expired := issueLeaf(t, root, dated(begin, now.Add(-time.Hour)))
	future := issueLeaf(t, root, dated(now.Add(time.Hour), end))
	never := issue(t, party{}, "", dated(end, begin))
	elsewhere := issueLeaf(t, root, dns("www.example.net"))
	client := issueLeaf(t, root, with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	return []scenario{
		{name: "3 1 1 of the leaf alone", chain: []party{leaf}, records: []tlsa.Association{record(t, "3 1 1", leaf)}},
		{name: "3 1 1 of the leaf before another's CA", chain: []party{leaf, other}, records: []tlsa.Association{record(t, "3 1 1", leaf)}},
		{name: "3 1 1 of an expired leaf", chain: []party{expired, root}, records: []tlsa.Association{record(t, "3 1 1", expired)}},
		{name: "3 0 1 of a leaf that begins later", chain: []party{future, root}, records: []tlsa.Association{record(t, "3 0 1", future)}},
		{name: "3 1 1 of an anonymous self-signed leaf that is never valid", chain: []party{never}, records: []tlsa.Association{record(t, "3 1 1", never)}},
		{name: "3 1 1 of a leaf for another host", chain: []party{elsewhere, root}, records: []tlsa.Association{record(t, "3 1 1", elsewhere)}},
		{name: "3 1 1 of a leaf for clients", chain: []party{client, root}, records: []tlsa.Association{record(t, "3 1 1", client)}},
		{name: "3 1 1 of the CA", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "3 1 1", root)}, want: tlsa.KindNoMatch},
		{name: "3 1 1 of another leaf and of this one", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "3 1 1", expired), record(t, "3 1 1", leaf)}},
		{name: "3 1 1 beats 2 1 1", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "2 1 1", root), record(t, "3 1 1", leaf)}},
		{name: "3 1 1 of another leaf, 2 1 1", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "3 1 1", future), record(t, "2 1 1", root)}, depth: 1},
	}
}

// RFC 7671, section 5.2: "servers MUST include the TA certificate in their TLS
// server certificate message".
func anchors(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	inter := issueCA(t, root, "Intermediate")
	issuing := issueCA(t, inter, "Issuing")
	leaf := issueLeaf(t, issuing)
	self := issueLeaf(t, party{})
	selfCA := issueLeaf(t, party{}, ca)
	return []scenario{
		{name: "the anchor is not in the chain", chain: []party{leaf, issuing, inter}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindNoAnchor},
		{name: "the anchor is the last of the chain and not self-signed", chain: []party{leaf, issuing, inter}, records: []tlsa.Association{record(t, "2 0 1", inter)}, depth: 2},
		{name: "the nearer of two anchors", chain: []party{leaf, issuing, inter, root}, records: []tlsa.Association{record(t, "2 1 1", root), record(t, "2 1 1", issuing)}, depth: 1},
		{name: "an intermediate is missing below the anchor", chain: []party{leaf, inter, root}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath},
		{name: "an intermediate is missing above the anchor", chain: []party{leaf, issuing, root}, records: []tlsa.Association{record(t, "2 1 1", issuing)}, depth: 1},
		{name: "2 1 1 of the leaf", chain: []party{leaf, issuing}, records: []tlsa.Association{record(t, "2 1 1", leaf)}, want: tlsa.KindNoAnchor},
		{name: "2 0 1 of a self-signed leaf", chain: []party{self}, records: []tlsa.Association{record(t, "2 0 1", self)}, want: tlsa.KindNoAnchor},
		{name: "2 0 1 of a self-signed leaf that is a CA", chain: []party{selfCA}, records: []tlsa.Association{record(t, "2 0 1", selfCA)}, want: tlsa.KindNoAnchor},
		{name: "2 1 1 of a self-signed leaf presented twice", chain: []party{selfCA, selfCA}, records: []tlsa.Association{record(t, "2 1 1", selfCA)}, want: tlsa.KindNoAnchor},
	}
}

// RFC 5246, section 7.4.2 wants each certificate to certify the one before it;
// servers present others.
func disorder(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	inter := issueCA(t, root, "Intermediate")
	leaf := issueLeaf(t, inter)
	stranger := issueCA(t, party{}, "Stranger")
	sibling := issueLeaf(t, inter)
	namesake := issueCA(t, root, "Intermediate", with(func(c *x509.Certificate) { c.SubjectKeyId = inter.SubjectKeyId }))
	renamed := issueCA(t, root, "Renamed", keyed(inter.key))
	relabelled := issueCA(t, root, "Intermediate", keyed(inter.key), with(func(c *x509.Certificate) { c.SubjectKeyId = []byte("another") }))
	return []scenario{
		{name: "the chain is upside down above the leaf", chain: []party{leaf, root, inter}, records: []tlsa.Association{record(t, "2 1 1", root)}, depth: 2},
		{name: "the intermediate twice", chain: []party{leaf, inter, inter, root}, records: []tlsa.Association{record(t, "2 1 1", root)}, depth: 2},
		{name: "the leaf twice", chain: []party{leaf, leaf, inter, root}, records: []tlsa.Association{record(t, "2 1 1", inter)}, depth: 1},
		{name: "strangers in between", chain: []party{leaf, stranger, sibling, inter, root}, records: []tlsa.Association{record(t, "2 0 2", root)}, depth: 2},
		{name: "a stranger as anchor", chain: []party{leaf, inter, root, stranger}, records: []tlsa.Association{record(t, "2 1 1", stranger)}, want: tlsa.KindPath},
		{name: "a sibling's leaf as anchor", chain: []party{leaf, sibling, inter}, records: []tlsa.Association{record(t, "2 1 1", sibling)}, want: tlsa.KindPath},
		{name: "the issuer's key under another name first", chain: []party{leaf, renamed, inter}, records: []tlsa.Association{record(t, "2 1 1", inter)}, depth: 1},
		{name: "the issuer's key under another key identifier only", chain: []party{leaf, relabelled, root}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath},
		{name: "a CA of the same name and key identifier as anchor", chain: []party{leaf, namesake, root}, records: []tlsa.Association{record(t, "2 1 1", namesake)}, want: tlsa.KindPath},
	}
}

// A key with several certificates: 2 1 x matches whichever is presented, 2 0 x one.
func crossCertificates(t testing.TB) []scenario {
	old := issueCA(t, party{}, "Old Root")
	root := issueCA(t, party{}, "Root")
	cross := issueCA(t, old, "Root", keyed(root.key))
	inter := issueCA(t, root, "Intermediate")
	leaf := issueLeaf(t, inter)
	const lax = "it looks at the dates of an anchor only where that is self-signed"
	expiredCross := issueCA(t, old, "Root", keyed(root.key), dated(begin, now.Add(-time.Hour)))
	longExpiredCross := issueCA(t, old, "Root", keyed(root.key), dated(begin, now.Add(-48*time.Hour)))
	expiredInter := issueCA(t, root, "Intermediate", keyed(inter.key), dated(begin, now.Add(-time.Hour)))
	return []scenario{
		{name: "cross-certificate, the key is the anchor", chain: []party{leaf, inter, cross, old}, records: []tlsa.Association{record(t, "2 1 1", root)}, depth: 2},
		{name: "cross-certificate, the self-signed one is the anchor", chain: []party{leaf, inter, cross, old}, records: []tlsa.Association{record(t, "2 0 1", root)}, want: tlsa.KindNoAnchor},
		{name: "cross-certificate, the old root is the anchor", chain: []party{leaf, inter, cross, old}, records: []tlsa.Association{record(t, "2 1 1", old)}, depth: 3},
		{name: "both certificates, the first one is taken", chain: []party{leaf, inter, cross, root, old}, records: []tlsa.Association{record(t, "2 0 1", cross)}, depth: 2},
		{name: "both certificates, the second one is the anchor", chain: []party{leaf, inter, cross, root, old}, records: []tlsa.Association{record(t, "2 0 1", root)}, want: tlsa.KindPath},
		{name: "both certificates, the path ends before the old root", chain: []party{leaf, inter, root, cross, old}, records: []tlsa.Association{record(t, "2 1 1", old)}, want: tlsa.KindPath},
		{name: "an expired cross-certificate is passed over", chain: []party{leaf, inter, expiredCross, root}, records: []tlsa.Association{record(t, "2 0 1", root)}, depth: 2},
		{name: "an expired cross-certificate is the anchor's only one", chain: []party{leaf, inter, expiredCross, old}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindDates, depth: 2, openssl: lax},
		{name: "of two expired ones the last to end is taken", chain: []party{leaf, inter, longExpiredCross, expiredCross, old}, records: []tlsa.Association{record(t, "2 0 1", longExpiredCross)}, want: tlsa.KindPath},
		{name: "of two expired ones the last to end is late", chain: []party{leaf, inter, longExpiredCross, expiredCross, old}, records: []tlsa.Association{record(t, "2 0 1", expiredCross)}, want: tlsa.KindDates, depth: 2, openssl: lax},
		{name: "a renewed intermediate beside the expired one", chain: []party{leaf, expiredInter, inter, root}, records: []tlsa.Association{record(t, "2 1 1", inter)}, depth: 1},
	}
}

// RFC 7671, section 5.2.1: "the client SHOULD apply any relevant constraints from
// the TA certificate, such as, for example, path length constraints."
func constrained(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	short := issueCA(t, party{}, "Short", with(func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	elsewhere := issueCA(t, party{}, "Elsewhere", with(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.net"}, true
	}))
	here := issueCA(t, party{}, "Here", with(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
	}))
	noCA := issue(t, root, "No CA")
	noSigner := issueCA(t, root, "No signer", with(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))
	clients := issueCA(t, root, "Clients", with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	younger := issueCA(t, short, "Intermediate", dated(now.Add(-time.Hour), end))
	v1 := version1(t, issue(t, party{}, "Version 1"))
	v1Inter := issue(t, root, "Version 1 intermediate")
	v1Inter = version1(t, v1Inter, root)
	chain := func(ca party, traits ...trait) []party { return []party{issueLeaf(t, ca, traits...), ca, root} }
	below := func(root party) []party {
		inter := issueCA(t, root, "Intermediate")
		return []party{issueLeaf(t, inter), inter, root}
	}
	critical := with(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, Critical: true, Value: []byte{5, 0}}}
	})
	forClients := with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	return []scenario{
		{name: "path length kept", chain: []party{issueLeaf(t, short), short}, records: []tlsa.Association{record(t, "2 0 1", short)}, depth: 1},
		{name: "path length exceeded", chain: below(short), records: []tlsa.Association{record(t, "2 0 1", short)}, want: tlsa.KindPath, depth: 2},
		{name: "path length exceeded by a younger certificate", chain: []party{issueLeaf(t, younger), younger, short}, records: []tlsa.Association{record(t, "2 0 1", short)}, want: tlsa.KindPath, depth: 2},
		{name: "an anchor of version 1", chain: []party{issueLeaf(t, v1), v1}, records: []tlsa.Association{record(t, "2 0 1", v1)}, depth: 1},
		{name: "an intermediate of version 1", chain: []party{issueLeaf(t, v1Inter), v1Inter, root}, records: []tlsa.Association{record(t, "2 0 1", root)}, want: tlsa.KindPath},
		{name: "name constraint kept", chain: below(here), records: []tlsa.Association{record(t, "2 0 1", here)}, depth: 2},
		{name: "name constraint violated", chain: below(elsewhere), records: []tlsa.Association{record(t, "2 0 1", elsewhere)}, want: tlsa.KindPath, depth: 2},
		{name: "issued by no CA", chain: chain(noCA), records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath},
		{name: "issued by a CA that may not", chain: chain(noSigner), records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath},
		{name: "issued by a CA for clients", chain: chain(clients), records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath, depth: 2},
		{name: "a leaf for clients", chain: []party{issueLeaf(t, root, forClients), root}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath, depth: 1},
		{name: "an unknown critical extension", chain: []party{issueLeaf(t, root, critical), root}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath, depth: 1},
	}
}

// RFC 7671, section 5.2: names must match and certificates must not have
// expired; RFC 7672, section 3.2.3: which names.
func datesAndNames(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	late := issueCA(t, party{}, "Late", dated(begin, now.Add(-time.Hour)))
	inter := issueCA(t, root, "Intermediate")
	lateInter := issueCA(t, root, "Late intermediate", dated(begin, now.Add(-time.Hour)))
	young := issueCA(t, party{}, "Young", dated(now.Add(-time.Hour), end))
	underLate := issueCA(t, late, "Intermediate of late")
	leaf := issueLeaf(t, inter)
	to := func(p party, chain ...party) scenario {
		return scenario{chain: chain, records: []tlsa.Association{record(t, "2 1 1", p)}}
	}
	named := func(name, host string, want tlsa.Kind, depth int, traits ...trait) scenario {
		return scenario{
			name: name, chain: []party{issueLeaf(t, root, traits...), root}, records: []tlsa.Association{record(t, "2 1 1", root)},
			host: host, want: want, depth: depth,
		}
	}
	cn := func(name string, sans ...string) trait {
		return with(func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = name, sans })
	}
	byDate := []scenario{
		{name: "the leaf expired", want: tlsa.KindDates, depth: 1}, {name: "the leaf begins later", want: tlsa.KindDates, depth: 1},
		{name: "an intermediate expired", want: tlsa.KindDates, depth: 2}, {name: "the anchor expired", want: tlsa.KindDates, depth: 2},
		{name: "what is above the anchor expired", depth: 1}, {name: "the leaf ended before the anchor began", want: tlsa.KindDates, depth: 1},
		{name: "the first second", at: begin, depth: 2}, {name: "the last second", at: end, depth: 2, openssl: "its end is a second earlier than RFC 5280, section 4.1.2.5 says"},
		{name: "the second before", at: begin.Add(-time.Second), want: tlsa.KindDates, depth: 2},
		{name: "the second after", at: end.Add(time.Second), want: tlsa.KindDates, depth: 2},
	}
	for i, s := range []scenario{
		to(root, issueLeaf(t, root, dated(begin, now.Add(-time.Second))), root), to(root, issueLeaf(t, root, dated(now.Add(time.Second), end)), root),
		to(root, issueLeaf(t, lateInter), lateInter, root), to(late, issueLeaf(t, underLate), underLate, late),
		to(underLate, issueLeaf(t, underLate), underLate, late), to(young, issueLeaf(t, young, dated(begin, begin.Add(time.Hour))), young),
		to(root, leaf, inter, root), to(root, leaf, inter, root),
		to(root, leaf, inter, root), to(root, leaf, inter, root),
	} {
		byDate[i].chain, byDate[i].records = s.chain, s.records
	}
	return append(byDate, []scenario{
		named("another host", "mx2.example.org", tlsa.KindNames, 1),
		named("one of several names", "mx2.example.org", "", 1, dns(host, "mx2.example.org")),
		named("case is folded", host, "", 1, dns("MX1.Example.ORG")),
		named("wildcard", host, "", 1, dns("*.example.org")),
		named("wildcard for two labels", "a.mx1.example.org", tlsa.KindNames, 1, dns("*.example.org")),
		named("wildcard for none", "example.org", tlsa.KindNames, 1, dns("*.example.org")),
		named("wildcard in the middle", host, tlsa.KindNames, 1, dns("mx1.*.org")),
		named("wildcard before one label", "example.org", tlsa.KindNames, 1, dns("*.org")),
		func() scenario {
			s := named("wildcard as a part of a label", host, tlsa.KindNames, 1, dns("mx*.example.org"))
			s.openssl = "it allows partial wildcards unless told otherwise; RFC 7672, section 3.2.3 does not"
			return s
		}(),
		named("common name and no other", host, "", 1, cn(host)),
		named("wildcard as common name", host, "", 1, cn("*.example.org")),
		named("common name beside another name", host, tlsa.KindNames, 1, cn(host, "mx2.example.org")),
		named("no name at all", host, tlsa.KindNames, 1, cn("")),
	}...)
}

// RFC 7671, sections 5.2.2 and 5.2.3: the trust anchor is in the record.
func fromDNS(t testing.TB) []scenario {
	old := issueCA(t, party{}, "Old Root")
	root := issueCA(t, party{}, "Root")
	cross := issueCA(t, old, "Root", keyed(root.key))
	late := issueCA(t, party{}, "Late", dated(begin, now.Add(-time.Hour)))
	short := issueCA(t, party{}, "Short", with(func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	inter, shortInter := issueCA(t, root, "Intermediate"), issueCA(t, short, "Intermediate")
	leaf := issueLeaf(t, inter)
	self := issueLeaf(t, party{}, ca)
	lateLeaf := issueLeaf(t, inter, dated(begin, now.Add(-time.Hour)))
	namesake := issueCA(t, party{}, "Root", with(func(c *x509.Certificate) { c.SubjectKeyId = root.SubjectKeyId }))
	noCA := issue(t, old, "Root", keyed(root.key))
	crossSelf := issueCA(t, old, "", keyed(self.key))
	return []scenario{
		{name: "2 0 0 of the root", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 0 0", root)}, depth: 2},
		{name: "2 0 0 of the intermediate", chain: []party{leaf}, records: []tlsa.Association{record(t, "2 0 0", inter)}, depth: 1},
		{name: "2 0 0 where an intermediate is missing too", chain: []party{leaf}, records: []tlsa.Association{record(t, "2 0 0", root)}, want: tlsa.KindNoAnchor},
		{name: "2 0 0 of the root beside its cross-certificate", chain: []party{leaf, inter, cross, old}, records: []tlsa.Association{record(t, "2 0 0", root)}, depth: 2},
		{name: "2 0 0 of the root presented behind its cross-certificate", chain: []party{leaf, inter, cross, old, root}, records: []tlsa.Association{record(t, "2 0 0", root)}, depth: 2},
		{name: "2 0 0 of another CA of the same name", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 0 0", namesake)}, want: tlsa.KindNoAnchor},
		{name: "2 0 0 of a certificate that is no CA's", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 0 0", noCA)}, want: tlsa.KindNoAnchor},
		{name: "2 0 0 of a self-signed leaf's cross-certificate", chain: []party{self}, records: []tlsa.Association{record(t, "2 0 0", crossSelf)}, want: tlsa.KindNoAnchor},
		{name: "2 0 0 that expired", chain: []party{issueLeaf(t, late)}, records: []tlsa.Association{record(t, "2 0 0", late)}, want: tlsa.KindDates, depth: 1},
		{name: "2 0 0 whose path length is exceeded", chain: []party{issueLeaf(t, shortInter), shortInter}, records: []tlsa.Association{record(t, "2 0 0", short)}, want: tlsa.KindPath, depth: 2},
		{name: "2 0 0 for another host", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 0 0", root)}, host: "mx2.example.org", want: tlsa.KindNames, depth: 2},
		{name: "2 0 0 of a self-signed leaf", chain: []party{self}, records: []tlsa.Association{record(t, "2 0 0", self)}, want: tlsa.KindNoAnchor},
		{name: "2 1 0 of the root", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 1 0", root)}, depth: 1},
		{name: "2 1 0 of the intermediate", chain: []party{leaf}, records: []tlsa.Association{record(t, "2 1 0", inter)}},
		{name: "2 1 0 of another key", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 1 0", namesake)}, want: tlsa.KindNoAnchor},
		{name: "2 1 0 of the root where an intermediate is missing", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "2 1 0", root)}, want: tlsa.KindPath},
		{name: "2 1 0 where the leaf expired", chain: []party{lateLeaf, inter}, records: []tlsa.Association{record(t, "2 1 0", root)}, want: tlsa.KindDates, depth: 1},
		{name: "2 1 0 for another host", chain: []party{leaf, inter}, records: []tlsa.Association{record(t, "2 1 0", root)}, host: "mx2.example.org", want: tlsa.KindNames, depth: 1},
		{name: "2 1 0 of a self-signed leaf", chain: []party{self}, records: []tlsa.Association{record(t, "2 1 0", self)}, want: tlsa.KindNoAnchor},
	}
}

// RFC 7671, section 9.
func agility(t testing.TB) []scenario {
	root := issueCA(t, party{}, "Root")
	leaf, next := issueLeaf(t, root), issueLeaf(t, root)
	chain := []party{leaf, root}
	short := record(t, "3 1 2", next)
	short.Data = short.Data[:64]
	return []scenario{
		{name: "the stronger digest matches", chain: chain, records: []tlsa.Association{record(t, "3 1 1", next), record(t, "3 1 2", leaf)}},
		{name: "only the weaker digest matches", chain: chain, records: []tlsa.Association{record(t, "3 1 1", leaf), record(t, "3 1 2", next)}, want: tlsa.KindNoMatch},
		{name: "Full is never passed over", chain: chain, records: []tlsa.Association{record(t, "3 1 0", leaf), record(t, "3 1 1", next), record(t, "3 1 2", next)}},
		{name: "another selector is a question of its own", chain: chain, records: []tlsa.Association{record(t, "3 0 1", leaf), record(t, "3 1 2", next)}},
		{name: "another usage is a question of its own", chain: chain, records: []tlsa.Association{record(t, "3 1 2", next), record(t, "2 1 1", root)}, depth: 1},
		{name: "malformed records go first", chain: chain, records: []tlsa.Association{record(t, "3 1 1", leaf), short}},
	}
}

// Whatever the key and the signature are made with, a digest of it is defined.
func algorithms(t testing.TB) []scenario {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signedBy := func(a x509.SignatureAlgorithm) trait {
		return with(func(c *x509.Certificate) { c.SignatureAlgorithm = a })
	}
	root := issueCA(t, party{}, "Root", keyed(rsa2048), signedBy(x509.SHA256WithRSA))
	pss := issueLeaf(t, root, signedBy(x509.SHA384WithRSAPSS))
	weak := issueLeaf(t, root, signedBy(x509.SHA1WithRSA))
	all := []scenario{
		{name: "RSA-PSS signature", chain: []party{pss, root}, records: []tlsa.Association{record(t, "2 1 1", root)}, depth: 1},
		{name: "SHA-1 signature under DANE-TA", chain: []party{weak, root}, records: []tlsa.Association{record(t, "2 1 1", root)}, want: tlsa.KindPath},
		{name: "SHA-1 signature under DANE-EE", chain: []party{weak, root}, records: []tlsa.Association{record(t, "3 1 1", weak)}},
	}
	for name, key := range map[string]crypto.Signer{"Ed25519": ed, "P-521": p521, "RSA": rsa2048} {
		root := issueCA(t, party{}, name, keyed(key))
		leaf := issueLeaf(t, root, keyed(key))
		all = append(all,
			scenario{name: name + " leaf under 3 1 1", chain: []party{leaf}, records: []tlsa.Association{record(t, "3 1 1", leaf)}},
			scenario{name: name + " leaf under 2 0 1", chain: []party{leaf, root}, records: []tlsa.Association{record(t, "2 0 1", root)}, depth: 1},
			scenario{name: name + " leaf under 2 1 0", chain: []party{issueLeaf(t, root)}, records: []tlsa.Association{record(t, "2 1 0", root)}})
	}
	return all
}
