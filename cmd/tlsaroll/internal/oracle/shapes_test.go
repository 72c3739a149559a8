package oracle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// A house is what a host presents, and whom records may name, in the chain or not.
type house struct {
	chain             []party
	leaf, inter, root party
}

// A shape is a way to present a chain.
type shape struct {
	name  string
	build func(host string) house
}

// shapes makes the CAs once, and a leaf for every host that asks.
func (p *pki) shapes() []shape {
	var all []shape
	for _, group := range []func() []shape{p.orders, p.algorithms, p.crossed, p.selfSigned, p.outOfDate, p.names, p.weak, p.constrained} {
		all = append(all, group()...)
	}
	return all
}

// ordinary is a chain as most servers have it, and the root.
const ordinary = "ordinary"

func (p *pki) orders() []shape {
	root := p.ca(party{}, "Root")
	inter := p.ca(root, "Intermediate")
	stranger, sibling := p.ca(party{}, "Stranger"), p.leaf(inter, "sibling.example.org")
	issuing := p.ca(inter, "Issuing")
	of := func(name string, chain func(leaf party) []party) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host)
			return house{chain(leaf), leaf, inter, root}
		}}
	}
	return []shape{
		of(ordinary, func(leaf party) []party { return []party{leaf, inter, root} }),
		of("without the root", func(leaf party) []party { return []party{leaf, inter} }),
		of("the leaf alone", func(leaf party) []party { return []party{leaf} }),
		of("without the intermediate", func(leaf party) []party { return []party{leaf, root} }),
		of("upside down above the leaf", func(leaf party) []party { return []party{leaf, root, inter} }),
		of("the intermediate twice", func(leaf party) []party { return []party{leaf, inter, inter, root} }),
		of("the leaf twice", func(leaf party) []party { return []party{leaf, leaf, inter, root} }),
		of("strangers in between", func(leaf party) []party { return []party{leaf, stranger, sibling, inter, root} }),
		{"four certificates", func(host string) house {
			leaf := p.leaf(issuing, host)
			return house{[]party{leaf, issuing, inter, root}, leaf, inter, root}
		}},
		{"four certificates, in disorder", func(host string) house {
			leaf := p.leaf(issuing, host)
			return house{[]party{leaf, root, inter, issuing}, leaf, issuing, root}
		}},
	}
}

func (p *pki) algorithms() []shape {
	p384 := p.must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 := p.must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	rsa, otherRSA := keyed(p.rsaKey(2048)), keyed(p.rsaKey(2048))
	ed, otherEd := keyed(p.ed25519Key()), keyed(p.ed25519Key())
	of := func(name string, above, below trait, traits ...trait) shape {
		root := p.ca(party{}, name+" Root", above)
		inter := p.ca(root, name+" Intermediate", above)
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host, append([]trait{below}, traits...)...)
			return house{[]party{leaf, inter, root}, leaf, inter, root}
		}}
	}
	return []shape{
		of("RSA", rsa, otherRSA),
		of("RSA-PSS signature", rsa, otherRSA, with(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSAPSS })),
		of("P-384", keyed(p384), keyed(p384)),
		of("P-521", keyed(p521), keyed(p521)),
		of("Ed25519", ed, otherEd),
		of("an Ed25519 leaf under RSA", rsa, ed),
	}
}

func (p *pki) crossed() []shape {
	old, root := p.ca(party{}, "Old Root"), p.ca(party{}, "New Root")
	cross := p.ca(old, "New Root", keyed(root.key))
	inter := p.ca(root, "Intermediate of New")
	late := p.ca(root, "Intermediate of New", keyed(inter.key), p.dated(-60, -10))
	of := func(name string, chain func(leaf party) []party) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host)
			return house{chain(leaf), leaf, inter, root}
		}}
	}
	return []shape{
		of("cross-signed", func(leaf party) []party { return []party{leaf, inter, cross, old} }),
		of("cross-signed, and the new root too", func(leaf party) []party { return []party{leaf, inter, cross, root, old} }),
		of("the new root before its cross-certificate", func(leaf party) []party { return []party{leaf, inter, root, cross, old} }),
		of("the intermediate, after its like that ended", func(leaf party) []party { return []party{leaf, late, inter, root} }),
	}
}

func (p *pki) selfSigned() []shape {
	root := p.ca(party{}, "Nobody's Root")
	of := func(name string, traits ...trait) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(party{}, host, append([]trait{with(func(c *x509.Certificate) { c.Subject.CommonName = host })}, traits...)...)
			return house{[]party{leaf}, leaf, leaf, root}
		}}
	}
	return []shape{of("self-signed"), of("self-signed, a CA", asCA)}
}

func (p *pki) outOfDate() []shape {
	root, lateRoot := p.ca(party{}, "Root in date"), p.ca(party{}, "Late Root", p.dated(-60, -1))
	inter, lateInter, underLate := p.ca(root, "Intermediate in date"), p.ca(root, "Late Intermediate", p.dated(-60, -1)), p.ca(lateRoot, "Intermediate of Late")
	of := func(name string, inter, root party, traits ...trait) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host, traits...)
			return house{[]party{leaf, inter, root}, leaf, inter, root}
		}}
	}
	return []shape{
		of("the leaf ended", inter, root, p.dated(-60, -1)),
		of("the leaf begins tomorrow", inter, root, p.dated(1, 30)),
		of("the intermediate ended", lateInter, root),
		of("the root ended", underLate, lateRoot),
	}
}

func (p *pki) names() []shape {
	root := p.ca(party{}, "Root of names")
	inter := p.ca(root, "Intermediate of names")
	of := func(name string, traits func(host string) trait) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host, traits(host))
			return house{[]party{leaf, inter, root}, leaf, inter, root}
		}}
	}
	return []shape{
		of("for another host", func(string) trait { return named("other.example.org") }),
		of("for several hosts", func(host string) trait { return named("other.example.org", host) }),
		of("wildcard", func(string) trait { return named("*.example.org") }),
		of("wildcard in a part of a label", func(host string) trait { return named(host[:2] + "*.example.org") }),
		of("wildcard for the wrong level", func(string) trait { return named("*.mail.example.org") }),
		of("common name alone", func(host string) trait {
			return with(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, host })
		}),
		of("common name beside another name", func(host string) trait {
			return with(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = []string{"other.example.org"}, host })
		}),
		of("no name", func(string) trait { return named() }),
	}
}

func (p *pki) weak() []shape {
	rsa := keyed(p.rsaKey(2048))
	root := p.ca(party{}, "RSA Root of weak", rsa)
	sha1 := with(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })
	inter, weakInter := p.ca(root, "Intermediate of weak", rsa), p.ca(root, "Weak Intermediate", rsa, sha1)
	rsa1024 := keyed(p.rsaKey(1024))
	of := func(name string, inter party, traits ...trait) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host, traits...)
			return house{[]party{leaf, inter, root}, leaf, inter, root}
		}}
	}
	return []shape{
		of("SHA-1 on the leaf", inter, sha1),
		of("SHA-1 on the intermediate", weakInter),
		of("RSA of 1024 bits", inter, rsa1024),
	}
}

func (p *pki) constrained() []shape {
	root := p.ca(party{}, "Root of constraints")
	short := p.ca(party{}, "Short", with(func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	elsewhere := p.ca(party{}, "Elsewhere", with(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.net"}, true
	}))
	of := func(name string, inter, root party, traits ...trait) shape {
		return shape{name, func(host string) house {
			leaf := p.leaf(inter, host, traits...)
			return house{[]party{leaf, inter, root}, leaf, inter, root}
		}}
	}
	clients := with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	return []shape{
		of("path length exceeded", p.ca(short, "Intermediate of Short"), short),
		of("name constraint violated", p.ca(elsewhere, "Intermediate of Elsewhere"), elsewhere),
		of("issued by no CA", p.issue(root, "No CA"), root),
		of("a leaf for clients", p.ca(root, "Intermediate for clients"), root, clients),
		of("an unknown critical extension", p.ca(root, "Intermediate of critical"), root, with(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, Critical: true, Value: []byte{5, 0}}}
		})),
	}
}
