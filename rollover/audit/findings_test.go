package audit

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A findingRow is the smallest change to a healthy domain that brings a finding about,
// and a neighbour that does not.
type findingRow struct {
	code      rollover.Code
	bad, good func(*Domain) // of the healthy domain; no good: the healthy domain is the neighbour
	also      []rollover.Code
	text      []string // facts that the sentence has
	fix       string   // is in the remedy
	result    string   // word of RFC 8460
}

// A cast is whom the rows play with.
type cast struct {
	*testing.T
	ca *authority
	// chain is presented and published; next is published; other is neither.
	chain, next, other, rsa *tlsa.Chain
}

func newCast(t *testing.T) cast {
	ca := newAuthority(t)
	return cast{t, ca, ca.chain(leafOf{}), ca.chain(leafOf{}), ca.chain(leafOf{}), ca.chain(leafOf{key: newRSAKey(t)})}
}

const mx1, base1 = "mx1.example.org", "_25._tcp.mx1.example.org"

func (c cast) ee(chain *tlsa.Chain) tlsa.Association { return record(c.T, tlsa.EE, chain) }
func (c cast) ta(chain *tlsa.Chain) tlsa.Association { return record(c.T, tlsa.TA, chain) }
func (c cast) of(chain *tlsa.Chain, usage tlsa.Usage, selector tlsa.Selector, matching tlsa.MatchingType) tlsa.Association {
	return record(c.T, tlsa.Params{Usage: usage, Selector: selector, Matching: matching}, chain)
}

// healthy is current and next key, at one host with both address families.
func (c cast) healthy() Domain {
	d := mailDomain(mailHost(mx1, published(mx1, c.ee(c.chain), c.ee(c.next)), modern("192.0.2.1", c.chain), modern("2001:db8::1", c.chain)))
	d.Hosts[0].CAA = rollover.Seen([]string{`0 issue "ca.example.net"`})
	return d
}

// modern is an address that takes what it should.
func modern(address string, chain *tlsa.Chain) Address {
	a := serving(address, chain)
	a.TLS = &TLS{Versions: []uint16{0x0303, 0x0304}}
	return a
}

// records are what all servers give of the host's records.
func records(as ...tlsa.Association) func(*Domain) { return withBase(published(mx1, as...)) }

func withBase(bases ...Base) func(*Domain) { return func(d *Domain) { d.Hosts[0].Bases = bases } }

func addresses(at ...Address) func(*Domain) { return func(d *Domain) { d.Hosts[0].Addresses = at } }

func onHost(change func(*Host)) func(*Domain) { return func(d *Domain) { change(&d.Hosts[0]) } }

func onBase(change func(*Base)) func(*Domain) {
	return func(d *Domain) { change(&d.Hosts[0].Bases[0]) }
}

func all(changes ...func(*Domain)) func(*Domain) {
	return func(d *Domain) {
		for _, change := range changes {
			change(d)
		}
	}
}

// on changes some of an address's offers.
func on(a Address, which func(Handshake) bool, change func(*Handshake)) Address {
	a.Handshakes = slices.Clone(a.Handshakes)
	for i := range a.Handshakes {
		if which(a.Handshakes[i]) {
			change(&a.Handshakes[i])
		}
	}
	return a
}

func withSNI(h Handshake) bool    { return h.SNI }
func withoutSNI(h Handshake) bool { return !h.SNI }

func presenting(chain *tlsa.Chain) func(*Handshake) {
	return func(h *Handshake) {
		if h.Outcome == rollover.Served {
			h.Chain = chain
		}
	}
}

func failing(outcome rollover.PresentedOutcome, why string) func(*Handshake) {
	return func(h *Handshake) { h.Outcome, h.Err, h.Chain, h.Version = outcome, why, nil, 0 }
}

// dual is an address that has an ECDSA certificate and an RSA certificate.
func dual(address string, ec, rsa *tlsa.Chain) Address {
	return on(modern(address, ec), func(h Handshake) bool { return h.Algorithm == "rsa" }, func(h *Handshake) {
		h.Outcome, h.Chain, h.Version = rollover.Served, rsa, 0x0303
	})
}

func (c cast) rows() []findingRow {
	return slices.Concat(c.recordRows(), c.mistakeRows(), c.issuerRows(), c.matchRows(), c.tlsRows(), c.certificateRows(), c.caaRows(), c.lookupRows(), c.serverRows(), c.passedRows(), c.domainRows())
}

// TestFindings: each condition brings its code about, with its facts, and no other warning
// than those that the row names; its neighbour does not.
func TestFindings(t *testing.T) {
	c := newCast(t)
	for _, row := range c.rows() {
		t.Run(string(row.code), func(t *testing.T) {
			d := c.healthy()
			row.bad(&d)
			findings := Judge(d).Findings
			c.T = t
			c.check(row, findings)
			d = c.healthy()
			if row.good != nil {
				row.good(&d)
			}
			if f := find(Judge(d).Findings, row.code); f != nil {
				t.Errorf("the neighbour has it, too: %s", f.Text)
			}
		})
	}
}

func find(findings []Finding, code rollover.Code) *Finding {
	if i := slices.IndexFunc(findings, func(f Finding) bool { return f.Code == code }); i >= 0 {
		return &findings[i]
	}
	return nil
}

func (c cast) check(row findingRow, findings []Finding) {
	c.Helper()
	f := find(findings, row.code)
	if f == nil {
		c.Fatalf("not found among %s", texts(findings))
	}
	for _, fact := range row.text {
		if !strings.Contains(f.Text, fact) {
			c.Errorf("%q has no %q", f.Text, fact)
		}
	}
	if !strings.Contains(f.Fix, row.fix) || f.Fix == "" || !strings.HasSuffix(f.Fix, ".") {
		c.Errorf("remedy %q, want %q in it", f.Fix, row.fix)
	}
	if f.ResultType != row.result {
		c.Errorf("result type %q, want %q", f.ResultType, row.result)
	}
	if f.About == "" || strings.HasSuffix(f.Text, ".") || strings.Contains(f.Text, "%!") || strings.Contains(f.Fix, "%!") {
		c.Errorf("about %q: %q, %q", f.About, f.Text, f.Fix)
	}
	want := append([]rollover.Code{row.code}, row.also...)
	for _, g := range findings {
		if g.Severity != rollover.Info && !slices.Contains(want, g.Code) {
			c.Errorf("told besides: %s %s", g.Code, g.Text)
		}
	}
	for _, code := range row.also {
		if find(findings, code) == nil {
			c.Errorf("%s is not told, of %s", code, texts(findings))
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(findings), func(g Finding) bool { return g.Code != row.code })); n > 1 {
		c.Errorf("told %d times: %s", n, texts(findings))
	}
	c.Log(f.Text, "|", f.Fix)
}

func texts(findings []Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("\n%s %s (%s): %s", f.Severity, f.Code, f.Host, f.Text))
	}
	return strings.Join(out, "")
}

// TestNoFalseAlarm: what is as it should be is told nothing of but for information.
func TestNoFalseAlarm(t *testing.T) {
	c := newCast(t)
	for name, change := range map[string]func(*Domain){
		"current and next":           func(*Domain) {},
		"current and issuer":         records(c.ee(c.chain), c.ta(c.chain)),
		"issuer":                     records(c.ta(c.chain)),
		"current":                    records(c.ee(c.chain)),
		"two keys of two algorithms": all(records(c.ee(c.chain), c.ee(c.rsa)), addresses(dual("192.0.2.1", c.chain, c.rsa))),
		"two hosts with their own keys": func(d *Domain) {
			d.Hosts = append(d.Hosts, mailHost("mx2.example.org", published("mx2.example.org", c.ee(c.other), c.ee(c.next)), modern("192.0.2.2", c.other)))
		},
		"signed anew with each answer, for two days": onBase(func(b *Base) {
			for i := range b.Servers {
				b.Servers[i].SignedUntil, b.Servers[i].SignedFor = now.Add(25*time.Hour), 48*time.Hour
			}
		}),
		"no DANE at all": func(d *Domain) {
			d.Zone.Security, d.MX.Security, d.Hosts[0].Zone.Security, d.Hosts[0].Reach.Security = rollover.Insecure, rollover.Insecure, rollover.Insecure, rollover.Insecure
			d.Hosts[0].Bases = nil
		},
		"a null MX": func(d *Domain) { d.MX.Null, d.MX.Records, d.Hosts = true, []Exchange{{}}, nil },
		"no route to IPv6": onHost(func(h *Host) {
			h.Addresses[1] = Address{Address: h.Addresses[1].Address, Untested: "this host has no route there"}
			h.Bases[0].Servers = append(h.Bases[0].Servers, rollover.ServerView{Name: "ns1.example.org.", Address: "[2001:db8::53]:53", Untested: true, Answer: rollover.Unseen[tlsa.RRset]("no route")})
			h.Bases[0].Findings = []rollover.Warning{rollover.NewWarning(rollover.CodeFamilyUntested, "[2001:db8::53]:53", "no route to an IPv6 address")}
		}),
	} {
		d := c.healthy()
		change(&d)
		r := Judge(d)
		for _, f := range r.Findings {
			if f.Severity != rollover.Info {
				t.Errorf("%s: %s: %s", name, f.Code, f.Text)
			}
		}
		if r.State != Clean {
			t.Errorf("%s: %s, %s", name, r.State, texts(r.Findings))
		}
	}
}

// TestEveryFindingIsBroughtAbout: no code is left that nothing leads to.
func TestEveryFindingIsBroughtAbout(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../codes_audit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []rollover.Code
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Type != nil {
			codes = append(codes, rollover.Code(strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)))
		}
		return true
	})
	if len(codes) < 50 {
		t.Fatalf("only %d codes found", len(codes))
	}
	rows := newCast(t).rows()
	for _, code := range codes {
		if !slices.ContainsFunc(rows, func(r findingRow) bool { return r.code == code }) {
			t.Errorf("no row brings %s about", code)
		}
	}
}

func addr(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 25) }
