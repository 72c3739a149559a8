package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func (c cast) domainRows() []findingRow {
	mx := func(records ...Exchange) func(*Domain) { return func(d *Domain) { d.MX.Records = records } }
	hostless := func(d *Domain) { d.Hosts = nil }
	real := Exchange{Preference: 10, Host: mx1}
	literal := Exchange{Preference: 5, Host: "192.0.2.1", Err: "it is an address"}
	current, next := c.ee(c.chain), c.ee(c.next)
	atDomain := published("example.org", current)
	none := published("example.org")
	expanded := published("example.org", current) // from *._tcp.example.org, for other ports
	expanded.Findings = []rollover.Warning{rollover.NewWarning(codeWildcard, "_25._tcp.example.org.", "expanded from a wildcard")}
	further := atDomain
	further.Target = "tlsa.example.net."
	unsigned := Lookup{Security: rollover.Insecure, Text: "no DS", Exists: true}
	bare := secondHost(func(h *Host) { h.Bases = []Base{published("mx2.example.org")} })
	otherAddress := func(h *Host) { h.Addresses = []Address{modern("192.0.2.9", c.chain)} }
	return []findingRow{
		{code: rollover.CodeMXInsecure, bad: func(d *Domain) { d.MX.Lookup = unsigned }, good: func(d *Domain) { d.MX.Lookup = unsigned; records()(d) }, text: []string{mx1, "no DS"}, result: "dane-required"},
		{code: rollover.CodeMXNoHost, bad: mx(literal, real), text: []string{"MX 5", "192.0.2.1", "it is an address"}},
		{code: rollover.CodeMXNone, bad: all(mx(literal), hostless), text: []string{"192.0.2.1"}},
		{code: rollover.CodeMXNone, bad: reach(Lookup{Security: rollover.Secure}), good: reach(Lookup{Security: rollover.Indeterminate, Err: "timed out"}), text: []string{mx1 + " has no address"}},
		{code: rollover.CodeMXNone, bad: all(mx(), hostless, func(d *Domain) { d.MX.Exists = false }), text: []string{"neither"}},
		{code: rollover.CodeMXNone, bad: all(mx(), hostless, func(d *Domain) { d.MX.Exists, d.MX.NoName = false, true }), text: []string{"does not exist"}},
		{code: rollover.CodeNullMXOthers, bad: mx(Exchange{}, real), good: all(mx(Exchange{}), hostless, func(d *Domain) { d.MX.Null = true }), text: []string{"1 other MX record"}},
		{code: rollover.CodeImplicitMX, bad: func(d *Domain) { d.MX.Exists, d.MX.Implicit = false, true }, good: func(d *Domain) { d.MX.Given = true }, text: []string{"no MX record"}},
		{code: rollover.CodeWrongOwner, bad: func(d *Domain) { d.AtDomain = &atDomain }, good: func(d *Domain) { d.AtDomain = &none }, text: []string{"_25._tcp.example.org.", "_25._tcp." + mx1}},
		{code: rollover.CodeWrongOwner, bad: func(d *Domain) { d.AtDomain = &atDomain }, good: func(d *Domain) { d.AtDomain = &expanded }},
		{code: rollover.CodeWrongOwner, bad: func(d *Domain) { d.AtDomain = &atDomain }, good: func(d *Domain) { d.AtDomain, d.Hosts[0].Bases[0].Target = &atDomain, atDomain.Owner }},
		{code: rollover.CodeWrongOwner, bad: func(d *Domain) { d.AtDomain = &atDomain }, good: func(d *Domain) { d.AtDomain, d.Hosts[0].Bases[0].Target = &further, further.Target }},
		{code: rollover.CodeWrongOwner, bad: func(d *Domain) { d.AtDomain = &atDomain }, good: func(d *Domain) {
			d.AtDomain, d.Hosts[0].Bases = &atDomain, []Base{published("example.org", current, next), published(mx1)}
		}, text: []string{"_25._tcp.example.org."}},
		{code: rollover.CodeDANEPartial, bad: bare, good: secondHost(func(*Host) {}), text: []string{"holds for " + mx1, "not for mx2.example.org", "no TLSA records at _25._tcp.mx2"}, result: "dane-required"},
		{code: rollover.CodeDANEPartial, bad: secondHost(func(h *Host) { h.Bases, h.Reach = nil, unsigned }), text: []string{"not for mx2.example.org", "not signed"}, result: "dane-required"},
		{code: rollover.CodeDANEAbsent, bad: records(), good: bare, text: []string{"no TLSA records at " + base1}, result: "dane-required"},
		{code: rollover.CodeDANEAbsent, bad: all(records(), onBase(func(b *Base) { b.Target = "tlsa.example.net." })), text: []string{"no TLSA records at " + base1 + "., an alias of tlsa.example.net"}, result: "dane-required"},
		{code: rollover.CodeKeyShared, bad: secondHost(otherAddress), good: secondHost(func(*Host) {}), text: []string{mx1 + " and mx2.example.org", c.chain.SPKI()[:8]}},
		{code: rollover.CodeKeyShared, bad: secondHost(otherAddress), good: secondHost(func(h *Host) {
			h.Addresses, h.Bases = []Address{modern("192.0.2.9", c.other)}, []Base{published("mx2.example.org", c.ee(c.other), next)}
		})},
	}
}

// TestOneCauseOfSeveralHosts: what comes of one cause is told once, with all hosts that it
// concerns; in each host's own report it stands by itself.
func TestOneCauseOfSeveralHosts(t *testing.T) {
	c := newCast(t)
	d := c.healthy()
	secondHost(func(*Host) {})(&d)
	for i := range d.Hosts {
		d.Hosts[i].Bases[0].Findings = []rollover.Warning{rollover.NewWarning(codeLame, "ns3.example.org.", "ns3 is lame")}
		d.Hosts[i].CAA = rollover.Seen[[]string](nil)
	}
	r := Judge(d)
	for _, code := range []rollover.Code{codeLame, rollover.CodeCAANone} {
		found := slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Code != code })
		if len(found) != 1 || found[0].Host != "" || !strings.Contains(found[0].Text, "likewise at mx2.example.org") {
			t.Errorf("%s: %s", code, texts(found))
		}
		for _, h := range r.Hosts {
			if f := find(h.Findings, code); f == nil || f.Host != h.Host || strings.Contains(f.Text, "likewise") {
				t.Errorf("%s at %s: %+v", code, h.Host, f)
			}
		}
	}
}

// TestManyHosts: a cause that thousands of hosts have does not fill the page with their names.
func TestManyHosts(t *testing.T) {
	d := mailDomain()
	for i := range 1000 {
		name := fmt.Sprintf("mx%d.example.org", i)
		d.Hosts = append(d.Hosts, Host{Name: name, Port: 25, SMTP: true, Target: name, Reach: Lookup{Security: rollover.Indeterminate, Err: "timed out"}})
	}
	for _, f := range Judge(d).Findings {
		if len(f.Text) > 500 {
			t.Errorf("%s: %d octets: %.80s", f.Code, len(f.Text), f.Text)
		}
	}
}

// TestUnknownIsNoBad: where nothing can be looked at, no finding says that something breaks.
func TestUnknownIsNoBad(t *testing.T) {
	c := newCast(t)
	d := c.healthy()
	d.Hosts[0].Addresses = []Address{without("192.0.2.1", rollover.Unreached, "timed out"), {Address: addr("2001:db8::1"), Untested: "no route"}}
	for i := range d.Hosts[0].Bases[0].Servers {
		d.Hosts[0].Bases[0].Servers[i].Answer.Err = "timed out"
	}
	d.Hosts[0].CAA = rollover.Unseen[[]string]("timed out")
	r := Judge(d)
	for _, f := range r.Findings {
		if f.Severity == rollover.Danger {
			t.Errorf("%s: %s", f.Code, f.Text)
		}
	}
	if r.State != Blind {
		t.Errorf("state %s: %s", r.State, texts(r.Findings))
	}
}
