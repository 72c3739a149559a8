package audit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// authority is a root and its intermediate.
type authority struct {
	t        *testing.T
	root, ca *x509.Certificate
	key      crypto.Signer // of ca
	rootKey  crypto.Signer
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	rootKey, key := newKey(t), newKey(t)
	a.root = a.sign(caTemplate("Root"), nil, rootKey.Public(), rootKey)
	a.ca = a.sign(caTemplate("Intermediate"), a.root, key.Public(), rootKey)
	a.key, a.rootKey = key, rootKey
	return a
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSAKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(5, 0, 0)}
}

func (a *authority) sign(template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = serial
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// leafOf are what a leaf may differ in from one for mx1.example.org that lasts.
type leafOf struct {
	names []string
	ended bool
	key   crypto.Signer
}

// chain is a leaf and the intermediate.
func (a *authority) chain(o leafOf) *tlsa.Chain {
	a.t.Helper()
	template := &x509.Certificate{DNSNames: o.names, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	if o.names == nil {
		template.DNSNames = []string{"mx1.example.org"}
	}
	if o.ended {
		template.NotAfter = now.AddDate(0, 0, -1)
	}
	if o.key == nil {
		o.key = newKey(a.t)
	}
	chain, err := tlsa.NewChain(a.sign(template, a.ca, o.key.Public(), a.key), a.ca)
	if err != nil {
		a.t.Fatal(err)
	}
	return chain
}

// record is the association of a chain under parameters such as "3 1 1"; that of the
// issuer under 2 x x.
func record(t *testing.T, p tlsa.Params, chain *tlsa.Chain) tlsa.Association {
	t.Helper()
	index := 0
	if p.Usage == tlsa.DANETA || p.Usage == tlsa.PKIXTA {
		index = 1
	}
	a, err := chain.Association(p, index)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var secure = Lookup{Security: rollover.Secure, Text: "validated", Exists: true}

// published is a secure base at which all servers give some records.
func published(base string, records ...tlsa.Association) Base {
	owner, _ := tlsa.OwnerOf(25, base)
	rrset := tlsa.NewRRset(time.Hour, records...)
	b := Base{Name: base, Owner: owner, Resolved: rollover.Seen(rrset)}
	b.Target, b.Zone, b.Security = owner, "example.org.", rollover.Secure
	for _, ns := range []string{"ns1.example.org.", "ns2.example.org."} {
		b.Servers = append(b.Servers, rollover.ServerView{Name: ns, Address: "192.0.2.53:53", NSTTL: time.Hour, Answer: rollover.Seen(rrset), SignedUntil: now.AddDate(0, 0, 14)})
	}
	return b
}

const tls13 = 0x0304

// serving is an address that presents a chain to everybody.
func serving(address string, chain *tlsa.Chain) Address {
	a := Address{Address: netip.AddrPortFrom(netip.MustParseAddr(address), 25), Greeted: time.Second / 10}
	for _, sni := range []bool{true, false} {
		for _, algorithm := range []string{"any", "rsa", "ecdsa"} {
			h := Handshake{SNI: sni, Algorithm: algorithm, Outcome: rollover.NotOffered}
			if algorithm != "rsa" {
				h.Outcome, h.Chain, h.Version = rollover.Served, chain, tls13
			}
			a.Handshakes = append(a.Handshakes, h)
		}
	}
	return a
}

// without is an address where TLS fails for everybody, or that cannot be asked.
func without(address string, outcome rollover.PresentedOutcome, err string) Address {
	a := serving(address, nil)
	for i := range a.Handshakes {
		a.Handshakes[i] = Handshake{SNI: a.Handshakes[i].SNI, Algorithm: a.Handshakes[i].Algorithm, Outcome: outcome, Err: err}
	}
	return a
}

// mailHost is a healthy host.
func mailHost(name string, base Base, addresses ...Address) Host {
	return Host{Name: name, Preference: 10, Port: 25, SMTP: true, NextHop: []string{"example.org"}, Zone: secure, Reach: secure, Target: name,
		Bases: []Base{base}, Addresses: addresses, CAA: rollover.Seen[[]string](nil)}
}

// mailDomain is a healthy domain with those hosts.
func mailDomain(hosts ...Host) Domain {
	d := Domain{Name: "example.org", At: now, Zone: secure, MX: MX{Lookup: secure}, Hosts: hosts,
		STS: STS{Record: rollover.Seen("")}, Reports: rollover.Seen("v=TLSRPTv1; rua=mailto:reports@example.org")}
	for _, h := range hosts {
		d.MX.Records = append(d.MX.Records, Exchange{Preference: h.Preference, Host: h.Name})
	}
	return d
}
