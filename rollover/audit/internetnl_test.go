package audit

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nlNow is within the dates of all certificates that do not say otherwise.
var nlNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const nlHost = "mx1.example.org"

// A nlParty has a certificate and its key.
type nlParty struct {
	*x509.Certificate
	key crypto.Signer
}

// nlIssue makes a certificate, signed by issuer or by itself where that is zero.
func nlIssue(t testing.TB, issuer nlParty, key crypto.Signer, change func(*x509.Certificate)) nlParty {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "leaf"},
		NotBefore:    nlNow.AddDate(-10, 0, 0),
		NotAfter:     nlNow.AddDate(20, 0, 0), // other programs know no other time than their own
		DNSNames:     []string{nlHost},
	}
	if change != nil {
		change(template)
	}
	parent, signer := issuer.Certificate, issuer.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return nlParty{cert, key}
}

func nlKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func nlCA(c *x509.Certificate) {
	c.Subject.CommonName, c.DNSNames = "CA", nil
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// A nlWorld has what the rows need.
type nlWorld struct {
	t                          testing.TB
	root, leaf                 nlParty
	late                       nlParty // a leaf whose time is over
	chain, lateChain, nameless *tlsa.Chain
}

func newNLWorld(t testing.TB) *nlWorld {
	w := &nlWorld{t: t}
	w.root = nlIssue(t, nlParty{}, nlKey(t, elliptic.P256()), nlCA)
	key := nlKey(t, elliptic.P256())
	w.leaf = nlIssue(t, w.root, key, nil)
	w.late = nlIssue(t, w.root, key, func(c *x509.Certificate) { c.NotAfter = nlNow.AddDate(-5, 0, 0) })
	w.chain = w.chainOf(w.leaf, w.root)
	w.lateChain = w.chainOf(w.late, w.root)
	w.nameless = w.chainOf(nlIssue(t, w.root, key, func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = "a name", nil }), w.root)
	return w
}

func (w *nlWorld) chainOf(parties ...nlParty) *tlsa.Chain {
	w.t.Helper()
	var certs []*x509.Certificate
	for _, p := range parties {
		certs = append(certs, p.Certificate)
	}
	c, err := tlsa.NewChain(certs...)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// record is that of a certificate, "3 1 1", or as it stands where data is given.
func (w *nlWorld) record(s string, of nlParty) tlsa.Association {
	w.t.Helper()
	data := s
	if of.Certificate != nil {
		data += " 00"
	}
	a, err := tlsa.ParseAssociation(data)
	if err != nil {
		w.t.Fatal(err)
	}
	if of.Certificate != nil {
		if a, err = tlsa.Associate(a.Params, of.Certificate); err != nil {
			w.t.Fatal(err)
		}
	}
	return a
}

// host is one that gets all that can be had without a renegotiation.
func (w *nlWorld) host(name string) Host {
	yes, no := true, false
	secure := Lookup{Security: rollover.Secure, Exists: true}
	return Host{
		Name: name, Port: 25, SMTP: true, Zone: Lookup{Security: rollover.Secure}, Reach: secure, Target: name,
		NextHop: []string{"example.org"},
		Bases: []Base{{
			Name:      name,
			OwnerView: rollover.OwnerView{Security: rollover.Secure},
			Resolved: rollover.Seen(tlsa.NewRRset(time.Hour,
				w.record("3 1 1", w.leaf), w.record("3 1 1 "+strings.Repeat("ab", 32), nlParty{}))),
			Beside: Lookup{Security: rollover.Secure},
		}},
		Addresses: []Address{{
			Address: netip.MustParseAddrPort("192.0.2.25:25"),
			Handshakes: []Handshake{{
				SNI: true, Algorithm: "any", Outcome: rollover.Served, Chain: w.chain, Version: tls.VersionTLS13,
			}},
			TLS: &TLS{
				Versions: []uint16{tls.VersionTLS12, tls.VersionTLS13},
				Suites: map[uint16][]uint16{
					tls.VersionTLS12: {tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
					tls.VersionTLS13: {tls.TLS_AES_256_GCM_SHA384, tls.TLS_AES_128_GCM_SHA256},
				},
				OwnOrder: map[uint16]bool{tls.VersionTLS12: true, tls.VersionTLS13: true},
				Groups:   []string{"x25519", "secp256r1"}, Hashes: []string{"sha256"},
				Compression: &no, SecureRenegotiation: &yes, ExtendedMasterSecret: &yes,
			},
		}},
		CAA: rollover.Seen([]string{`0 issue "ca.example.net"`, `128 iodef "mailto:hostmaster@example.org"`}),
	}
}

func (w *nlWorld) domain(hosts ...Host) Domain {
	secure := Lookup{Security: rollover.Secure, Exists: true}
	d := Domain{Name: "example.org", At: nlNow, Zone: secure, MX: MX{Lookup: secure}, Hosts: hosts}
	for _, h := range hosts {
		d.MX.Records = append(d.MX.Records, Exchange{Preference: 10, Host: h.Name})
	}
	return d
}

func nlFind(t testing.TB, d Domain, name string) Subtest {
	t.Helper()
	all := internetNL(d)
	i := slices.IndexFunc(all, func(s Subtest) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no subtest %s", name)
	}
	return all[i]
}

// TestInternetNLGood has all passed but what cannot be found out.
func TestInternetNLGood(t *testing.T) {
	w := newNLWorld(t)
	all := internetNL(w.domain(w.host(nlHost)))
	if len(all) != len(nlCatalogue()) {
		t.Fatalf("%d subtests", len(all))
	}
	for _, s := range all {
		switch want := (map[bool]Status{true: StatusNotTested, false: StatusPassed})[s.Name == "renegotiation_client"]; {
		case s.Status != want:
			t.Errorf("%s: %s %s (%s)", s.Name, s.Status, s.Verdict, s.Text)
		case s.Text == "" || s.Ours != "":
			t.Errorf("%s: %q, ours %q", s.Name, s.Text, s.Ours)
		}
	}
}

// TestInternetNLUnseen has nothing passed that nobody looked at.
func TestInternetNLUnseen(t *testing.T) {
	nlMX := MX{Lookup: Lookup{Security: rollover.Secure}, Records: []Exchange{{Host: nlHost}}}
	for name, d := range map[string]Domain{
		"nothing": {},
		"host":    {MX: MX{Given: true}, Hosts: []Host{{Name: nlHost}}},
		"records": {MX: nlMX, Hosts: []Host{{Name: nlHost}}},
		"address": {MX: nlMX, Hosts: []Host{{Name: nlHost, Addresses: []Address{{Address: netip.MustParseAddrPort("192.0.2.25:25")}}}}},
		"TLS": {MX: nlMX, Hosts: []Host{{Name: nlHost, Addresses: []Address{{
			Address:    netip.MustParseAddrPort("192.0.2.25:25"),
			Handshakes: []Handshake{{SNI: true, Algorithm: "any", Outcome: rollover.NoTLS}},
			TLS:        &TLS{Err: "cut off"},
		}}}}},
	} {
		for _, s := range internetNL(d) {
			if s.Status == StatusPassed || s.Text == "" {
				t.Errorf("%s: %s is %s, by %q", name, s.Name, s.Status, s.Text)
			}
		}
	}
}

// A nlRow is one condition: what is changed in a good host, and what one subtest says then.
type nlRow struct {
	name    string
	change  func(h *Host)
	subtest string
	want    Status
	verdict string
	ours    string // a part of it; "" where our judgement is the same
}

func runNL(t *testing.T, w *nlWorld, rows []nlRow) {
	t.Helper()
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.subtest+" "+r.name, " ", "_"), func(t *testing.T) {
			h := w.host(nlHost)
			r.change(&h)
			s := nlFind(t, w.domain(h), r.subtest)
			if s.Status != r.want || s.Verdict != r.verdict {
				t.Errorf("%s %q by %q, want %s %q", s.Status, s.Verdict, s.Text, r.want, r.verdict)
			}
			if (r.ours == "") != (s.Ours == "") || !strings.Contains(s.Ours, r.ours) {
				t.Errorf("ours: %q, want %q", s.Ours, r.ours)
			}
		})
	}
}

func TestInternetNLStartTLS(t *testing.T) {
	w := newNLWorld(t)
	outcome := func(o rollover.PresentedOutcome, text string) func(h *Host) {
		return func(h *Host) {
			h.Addresses[0].TLS = nil
			h.Addresses[0].Handshakes[0] = Handshake{SNI: true, Algorithm: "any", Outcome: o, Err: text}
		}
	}
	v6 := netip.MustParseAddrPort("[2001:db8::25]:25")
	runNL(t, w, []nlRow{
		{"obtained", func(*Host) {}, "starttls_exists", StatusPassed, "good", ""},
		{"reachable without", outcome(rollover.NoTLS, "not offered"), "starttls_exists", StatusFailed, "bad", "shows an error"},
		{"unreachable", outcome(rollover.Unreached, "timeout"), "starttls_exists", StatusError, "other", "unknown"},
		{"no addresses", func(h *Host) { h.Addresses, h.Reach.Exists = nil, false }, "starttls_exists", StatusError, "other", "next host"},
		{"addresses unknown", func(h *Host) { h.Addresses, h.Reach = nil, Lookup{Security: rollover.Indeterminate, Err: "timeout"} }, "starttls_exists", StatusNotTested, "not-tested", ""},
		{"no route", func(h *Host) { h.Addresses[0] = Address{Address: v6, Untested: "no route"} }, "starttls_exists", StatusNotTested, "not-tested", ""},
		{"old versions alone", func(h *Host) {
			versions := *h.Addresses[0].TLS
			versions.Versions = []uint16{tls.VersionTLS10}
			outcome(rollover.NoTLS, "TLS 1.2 is wanted")(h)
			h.Addresses[0].TLS = &versions
		}, "starttls_exists", StatusPassed, "good", ""},
		{"IPv4 goes first", func(h *Host) {
			h.Addresses = append([]Address{{Address: v6, Handshakes: []Handshake{{SNI: true, Algorithm: "any", Outcome: rollover.NoTLS}}}}, h.Addresses...)
		}, "starttls_exists", StatusPassed, "good", "one address alone"},
		{"IPv6 where IPv4 was not asked", func(h *Host) {
			h.Addresses = append(h.Addresses, Address{Address: netip.MustParseAddrPort("192.0.2.26:25"), Untested: "no route"})
			h.Addresses[0].Address = v6
		}, "starttls_exists", StatusPassed, "good", ""},
		// Nothing else is tested without STARTTLS.
		{"without STARTTLS", outcome(rollover.NoTLS, "not offered"), "dane_exists", StatusNotTested, "not-tested", ""},
		{"without STARTTLS", outcome(rollover.NoTLS, "not offered"), "zero_rtt", StatusNotTested, "not-tested", ""},
		{"without STARTTLS", outcome(rollover.Unreached, "timeout"), "mail_caa", StatusNotTested, "not-tested", ""},
		{"without STARTTLS", outcome(rollover.NoTLS, "not offered"), "dnssec_mx_exists", StatusPassed, "good", ""},
	})
}

func TestInternetNLSigned(t *testing.T) {
	w := newNLWorld(t)
	for _, r := range []struct {
		zone   Lookup
		exists Status
		key    string
		valid  Status
		vkey   string
	}{
		{Lookup{Security: rollover.Secure}, StatusPassed, "good", StatusPassed, "good"},
		{Lookup{Security: rollover.Bogus, Text: "the signature is over"}, StatusPassed, "good", StatusFailed, "bad"},
		{Lookup{Security: rollover.Insecure}, StatusFailed, "bad", StatusNotTested, "not-tested"},
		{Lookup{Security: rollover.Secure, NoName: true}, StatusFailed, "resolver-error", StatusNotTested, "not-tested"},
		{Lookup{Security: rollover.Indeterminate, Err: "timeout"}, StatusFailed, "resolver-error", StatusNotTested, "not-tested"},
		{Lookup{}, StatusNotTested, "not-tested", StatusNotTested, "not-tested"},
	} {
		h := w.host(nlHost)
		h.Zone = r.zone
		d := w.domain(h)
		d.Zone = r.zone
		for name, want := range map[string][2]string{
			"dnssec_exists": {string(r.exists), r.key}, "dnssec_mx_exists": {string(r.exists), r.key},
			"dnssec_valid": {string(r.valid), r.vkey}, "dnssec_mx_valid": {string(r.valid), r.vkey},
		} {
			if s := nlFind(t, d, name); string(s.Status) != want[0] || s.Verdict != want[1] {
				t.Errorf("%+v: %s is %s %q, want %q", r.zone, name, s.Status, s.Verdict, want)
			}
		}
	}
}

func TestInternetNLCertificate(t *testing.T) {
	w := newNLWorld(t)
	shows := func(untrusted string, parties ...nlParty) func(h *Host) {
		return func(h *Host) {
			hs := &h.Addresses[0].Handshakes[0]
			hs.Chain, hs.Untrusted = w.chainOf(parties...), untrusted
		}
	}
	// A small key is enough to see its size.
	rsaKey := func(bits int) crypto.Signer {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return nlPublic{&rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}}
	}
	with := func(key crypto.Signer) nlParty { return nlIssue(t, w.root, key, nil) }
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaCA, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	byRSA := nlIssue(t, nlIssue(t, nlParty{}, rsaCA, nlCA), nlKey(t, elliptic.P256()), nil)
	other := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"other.example.net"} })
	domain := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} })
	anchored := func(p nlParty) func(h *Host) {
		return func(h *Host) {
			shows("", p, w.root)(h)
			h.Bases[0].Resolved = rollover.Seen(tlsa.NewRRset(time.Hour, w.record("2 1 1 "+strings.Repeat("cd", 32), nlParty{})))
		}
	}
	runNL(t, w, []nlRow{
		{"to a root", shows("", w.leaf, w.root), "cert_trust", StatusPassed, "good", ""},
		{"to nobody", shows("unknown authority", w.leaf, w.root), "cert_trust", StatusInfo, "bad", ""},
		{"no chain", func(h *Host) { h.Addresses[0].Handshakes[0].Chain = nil }, "cert_trust", StatusNotTested, "could-not-test", ""},
		{"no chain", func(h *Host) { h.Addresses[0].Handshakes[0].Chain = nil }, "cert_pubkey", StatusNotTested, "not-tested", ""},
		{"RSA 3072", shows("", with(rsaKey(3072)), w.root), "cert_pubkey", StatusPassed, "good", ""},
		{"RSA 3071", shows("", with(rsaKey(3071)), w.root), "cert_pubkey", StatusWarning, "phase-out", ""},
		{"RSA 2048", shows("", with(rsaKey(2048)), w.root), "cert_pubkey", StatusWarning, "phase-out", ""},
		{"RSA 2047", shows("", with(rsaKey(2047)), w.root), "cert_pubkey", StatusFailed, "bad", ""},
		{"P-521", shows("", with(nlKey(t, elliptic.P521())), w.root), "cert_pubkey", StatusPassed, "good", ""},
		{"P-224", shows("", with(nlKey(t, elliptic.P224())), w.root), "cert_pubkey", StatusWarning, "phase-out", ""},
		{"Ed25519", shows("", with(ed), w.root), "cert_pubkey", StatusPassed, "good", ""},
		{"an intermediate counts", shows("", w.leaf, with(rsaKey(2048)), w.root), "cert_pubkey", StatusWarning, "phase-out", ""},
		{"a root does not", shows("", w.leaf, nlIssue(t, nlParty{}, nlKey(t, elliptic.P224()), nlCA)), "cert_pubkey", StatusPassed, "good", ""},
		{"a stranger's root does", shows("unknown authority", w.leaf, nlIssue(t, nlParty{}, nlKey(t, elliptic.P224()), nlCA)), "cert_pubkey", StatusWarning, "phase-out", ""},
		{"SHA-256", shows("", w.leaf, w.root), "cert_signature", StatusPassed, "good", ""},
		{"ECDSA with SHA-224", shows("", w.replaced(w.leaf, ecdsaSHA256, ecdsaSHA224), w.root), "cert_signature", StatusWarning, "phase-out", ""},
		{"RSA with SHA-1", shows("", w.replaced(byRSA, rsaSHA256, rsaSHA1), w.root), "cert_signature", StatusFailed, "bad", ""},
		{"RSA with SHA-512", shows("", w.replaced(byRSA, rsaSHA256, rsaSHA512), w.root), "cert_signature", StatusPassed, "good", ""},
		{"RSASSA-PSS", shows("", w.replaced(byRSA, rsaSHA256, rsaPSS), w.root), "cert_signature", StatusFailed, "bad", ""},
		{"the host", shows("", w.leaf, w.root), "cert_hostmatch", StatusPassed, "good", ""},
		{"another", shows("", other, w.root), "cert_hostmatch", StatusInfo, "bad", ""},
		{"another with DANE-TA", anchored(other), "cert_hostmatch", StatusFailed, "bad", ""},
		{"the next hop with DANE-TA", anchored(domain), "cert_hostmatch", StatusFailed, "bad", "section 3.2.2"},
		{"the common name alone", func(h *Host) { h.Addresses[0].Handshakes[0].Chain = w.nameless }, "cert_hostmatch", StatusInfo, "bad", ""},
	})
}

// nlPublic is a key of which only the public half is there.
type nlPublic struct{ crypto.PublicKey }

func (k nlPublic) Public() crypto.PublicKey { return k.PublicKey }

func (nlPublic) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("this key signs nothing")
}

// OIDs of signature algorithms.
const (
	ecdsaSHA224 = "\x2a\x86\x48\xce\x3d\x04\x03\x01"
	ecdsaSHA256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"
	rsaSHA1     = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
	rsaPSS      = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	rsaSHA256   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	rsaSHA512   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
)

// replaced is a certificate that says to be signed by another algorithm. Nobody verifies it.
func (w *nlWorld) replaced(p nlParty, from, to string) nlParty {
	w.t.Helper()
	if bytes.Count(p.Raw, []byte(from)) != 2 {
		w.t.Fatalf("the algorithm does not stand in the certificate twice")
	}
	cert, err := x509.ParseCertificate(bytes.ReplaceAll(p.Raw, []byte(from), []byte(to)))
	if err != nil {
		w.t.Fatal(err)
	}
	return nlParty{cert, p.key}
}
