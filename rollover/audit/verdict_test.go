package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// verdictCase is a change to a healthy domain of one host with one address, and what
// then becomes of mail.
type verdictCase struct {
	name            string
	change          func(*Domain)
	dane, only, may Delivery
	partly          bool   // of dane
	why             string // is in dane's reason
}

// TestVerdicts is the decision table of RFC 7672, section 2.2, and what leads there.
func TestVerdicts(t *testing.T) {
	ca := newAuthority(t)
	chain, other, rsa := ca.chain(leafOf{}), ca.chain(leafOf{}), ca.chain(leafOf{key: newRSAKey(t)})
	expired, elsewhere := ca.chain(leafOf{ended: true}), ca.chain(leafOf{names: []string{"www.example.net"}})
	ee := func(c *tlsa.Chain) tlsa.Association { return record(t, tlsa.EE, c) }
	ta := record(t, tlsa.TA, chain)
	base := func(records ...tlsa.Association) Base { return published("mx1.example.org", records...) }
	with := func(b Base, at ...Address) func(*Domain) {
		return func(d *Domain) { d.Hosts[0].Bases, d.Hosts[0].Addresses = []Base{b}, at }
	}
	at := serving("192.0.2.1", chain)
	dual := serving("192.0.2.1", chain)
	for i := range dual.Handshakes {
		if dual.Handshakes[i].Algorithm == "rsa" {
			dual.Handshakes[i].Outcome, dual.Handshakes[i].Chain, dual.Handshakes[i].Version = rollover.Served, rsa, 0x0303
		}
	}
	garbled := func(address string) Address {
		a := without(address, rollover.NoTLS, "no SMTP reply")
		for i := range a.Handshakes {
			a.Handshakes[i].Mute = true
		}
		return a
	}
	state := func(b Base, s rollover.Security, text string) Base {
		b.Security, b.SecurityText = s, text
		return b
	}
	lags := base(ee(chain))
	lags.Servers[1].Answer = rollover.Seen(tlsa.NewRRset(0, ee(other)))
	first := base(ee(chain))
	first.Servers[1].Answer = rollover.Seen(tlsa.RRset{})
	mute := state(base(), rollover.Indeterminate, "SERVFAIL")
	mute.Resolved = rollover.Unseen[tlsa.RRset]("SERVFAIL")
	for i := range mute.Servers {
		mute.Servers[i].Answer = rollover.Unseen[tlsa.RRset]("no answer")
	}
	ours := mute
	ours.Servers = append([]rollover.ServerView{}, base(ee(chain)).Servers...)
	leads := mute
	leads.Servers = append([]rollover.ServerView{{Name: "ns1.example.org.", Alias: true, Answer: rollover.Seen(tlsa.RRset{})}}, mute.Servers...)
	expanded := published("mail.example.net", ee(other))
	denied := published("mail.example.net")
	mx := func(change func(*MX)) func(*Domain) { return func(d *Domain) { change(&d.MX) } }
	for _, test := range []verdictCase{
		{"3 1 1 matches", with(base(ee(chain)), at), WithDANE, WithDANE, Opportunistic, false, "matches"},
		{"2 1 1 matches", with(base(ta), at), WithDANE, WithDANE, Opportunistic, false, ""},
		{"one of two usages is enough", with(base(ta, ee(other)), at), WithDANE, WithDANE, Opportunistic, false, ""},
		{"nothing matches", with(base(ee(other)), at), Deferred, Deferred, Opportunistic, false, "do not match"},
		{"expired under 3 1 1", with(base(ee(expired)), serving("192.0.2.1", expired)), WithDANE, WithDANE, Opportunistic, false, ""},
		{"expired under 2 1 1", with(base(ta), serving("192.0.2.1", expired)), Deferred, Deferred, Opportunistic, false, "ended"},
		{"another name under 3 1 1", with(base(ee(elsewhere)), serving("192.0.2.1", elsewhere)), WithDANE, WithDANE, Opportunistic, false, ""},
		{"another name under 2 1 1", with(base(ta), serving("192.0.2.1", elsewhere)), Deferred, Deferred, Opportunistic, false, "www.example.net"},
		{"the mail domain's name under 2 1 1", with(base(ta), serving("192.0.2.1", ca.chain(leafOf{names: []string{"example.org"}}))), WithDANE, WithDANE, Opportunistic, false, ""},
		{"usages 0 and 1 alone", with(base(record(t, tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}, other)), at), WithTLS, Deferred, Opportunistic, false, "no client can use"},
		{"usages 0 and 1 alone, no TLS", with(base(record(t, tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}, other)), without("192.0.2.1", rollover.NoTLS, "not offered")), Deferred, Deferred, Opportunistic, false, "not offered"},
		{"no records", with(base(), at), Opportunistic, Deferred, Opportunistic, false, "no TLSA records"},
		{"no records, no TLS", with(base(), without("192.0.2.1", rollover.NoTLS, "not offered")), Opportunistic, Deferred, Opportunistic, false, ""},
		{"no records, no SMTP", with(base(), garbled("192.0.2.1")), Deferred, Deferred, Deferred, false, "no SMTP reply"},
		{"no records, no SMTP at one of two", with(base(), garbled("192.0.2.1"), at), Opportunistic, Deferred, Opportunistic, false, ""},
		{"records, no TLS", with(base(ee(chain)), without("192.0.2.1", rollover.NoTLS, "not offered")), Deferred, Deferred, Opportunistic, false, "not offered"},
		{"no records, out of reach", with(base(), without("192.0.2.1", rollover.Unreached, "timed out")), Unknown, Deferred, Unknown, false, "timed out"},
		{"records, out of reach", with(base(ee(chain)), without("192.0.2.1", rollover.Unreached, "timed out")), Unknown, Unknown, Unknown, false, "timed out"},
		{"records in an unsigned zone", with(state(base(ee(other)), rollover.Insecure, "no DS"), at), Opportunistic, Deferred, Opportunistic, false, "not signed for anyone"},
		{"bogus records", with(state(base(ee(chain)), rollover.Bogus, "expired"), at), Deferred, Deferred, Opportunistic, false, "bogus"},
		{"no server answers", with(mute, at), Deferred, Deferred, Opportunistic, false, "no server of the zone"},
		{"no server answers at the end of an alias", with(leads, at), Deferred, Deferred, Opportunistic, false, "no server of the zone"},
		{"our resolver does not answer", with(ours, at), Unknown, Unknown, Opportunistic, false, "SERVFAIL"},
		{"a server has an old RRset", with(lags, at), Deferred, Deferred, Opportunistic, false, "do not match"},
		{"a server has none", with(first, at), WithDANE, WithDANE, Opportunistic, false, ""},
		{"one of two addresses forgotten", with(base(ee(chain)), at, serving("192.0.2.2", other)), WithDANE, WithDANE, Opportunistic, true, "192.0.2.2"},
		{"RSA right and ECDSA wrong", with(base(ee(rsa)), dual), Deferred, Deferred, Opportunistic, true, "do not match"},
		{"ECDSA right and RSA wrong", with(base(ee(chain)), dual), WithDANE, WithDANE, Opportunistic, true, "to who asks for rsa"},
		{"both algorithms", with(base(ee(rsa), ee(chain)), dual), WithDANE, WithDANE, Opportunistic, false, ""},
		{"a record of the expanded name comes first", func(d *Domain) { d.Hosts[0].Bases = []Base{expanded, base(ee(chain))} }, Deferred, Deferred, Opportunistic, false, "mail.example.net"},
		{"none there, then the name itself", func(d *Domain) { d.Hosts[0].Bases = []Base{denied, base(ee(chain))} }, WithDANE, WithDANE, Opportunistic, false, ""},
		{"addresses are insecure", func(d *Domain) {
			d.Hosts[0].Reach.Security = rollover.Insecure
			d.Hosts[0].Bases = []Base{base(ee(other))}
			d.Hosts[0].Bases[0].InVain = true
		}, Opportunistic, Deferred, Opportunistic, false, "not signed"},
		{"addresses are bogus", func(d *Domain) { d.Hosts[0].Reach.Security, d.Hosts[0].Bases = rollover.Bogus, nil }, Deferred, Deferred, Opportunistic, false, "bogus"},
		{"no address", func(d *Domain) { d.Hosts[0].Reach.Exists, d.Hosts[0].Bases = false, nil }, Deferred, Deferred, Deferred, false, "no address"},
		{"addresses unknown", func(d *Domain) { d.Hosts[0].Reach.Err, d.Hosts[0].Bases = "timed out", nil }, Unknown, Unknown, Unknown, false, "timed out"},
		{"no route for the address", with(base(ee(chain)), Address{Address: at.Address, Untested: "no route"}), Unknown, Unknown, Unknown, false, "no route"},
		{"MX not signed", mx(func(m *MX) { m.Security = rollover.Insecure }), Opportunistic, Deferred, Opportunistic, false, "not signed"},
		{"MX not signed, out of reach", func(d *Domain) {
			d.MX.Security, d.Hosts[0].Addresses = rollover.Insecure, []Address{without("192.0.2.1", rollover.Unreached, "timed out")}
		}, Unknown, Deferred, Unknown, false, "timed out"},
		{"MX not signed, no address", func(d *Domain) {
			d.MX.Security, d.Hosts[0].Reach.Exists, d.Hosts[0].Bases = rollover.Insecure, false, nil
		}, Deferred, Deferred, Deferred, false, "mx1.example.org: it has no address"},
		{"MX not signed, and no match", func(d *Domain) {
			d.MX.Security, d.Hosts[0].Bases = rollover.Insecure, []Base{base(ee(other))}
		}, Deferred, Deferred, Opportunistic, true, "not signed"},
		{"MX bogus", mx(func(m *MX) { m.Security, m.Text = rollover.Bogus, "expired" }), Deferred, Deferred, Opportunistic, false, "bogus"},
		{"MX unknown", mx(func(m *MX) { m.Err = "timed out" }), Unknown, Unknown, Unknown, false, "timed out"},
		{"null MX", mx(func(m *MX) { m.Null, m.Records = true, []Exchange{{}} }), Rejected, Rejected, Rejected, false, "null MX"},
		{"no such domain", mx(func(m *MX) { m.Exists, m.NoName = false, true }), Rejected, Rejected, Rejected, false, "not exist"},
		{"neither MX nor address", mx(func(m *MX) { m.Exists = false }), Rejected, Rejected, Rejected, false, "neither"},
		{"MX to an address", mx(func(m *MX) { m.Records = []Exchange{{Host: "192.0.2.1", Err: "it is an address"}} }), Rejected, Rejected, Rejected, false, "an address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := mailDomain(mailHost("mx1.example.org", base(ee(chain)), at))
			test.change(&d)
			verdicts := map[Sender]Verdict{}
			for _, v := range Judge(d).Senders {
				verdicts[v.Sender] = v
			}
			for sender, want := range map[Sender]Delivery{DANE: test.dane, DANEOnly: test.only, May: test.may} {
				if got := verdicts[sender]; got.Delivery != want {
					t.Errorf("%s: %s (%s), want %s", sender, got.Delivery, got.Why, want)
				}
			}
			if v := verdicts[DANE]; v.Partly != test.partly || !strings.Contains(v.Why, test.why) {
				t.Errorf("partly %t, because %q; want %t and %q", v.Partly, v.Why, test.partly, test.why)
			}
		})
	}
}

// TestHostsTogether: mail arrives if any host takes it, and is protected as well as at
// the weakest of those that do (RFC 7672, section 2.2.1).
func TestHostsTogether(t *testing.T) {
	ca := newAuthority(t)
	chain, other := ca.chain(leafOf{names: []string{"*.example.org"}}), ca.chain(leafOf{})
	at := serving("192.0.2.1", chain)
	host := func(name string, records ...tlsa.Association) Host {
		return mailHost(name, published(name, records...), at)
	}
	good := host("mx1.example.org", record(t, tlsa.EE, chain))
	for _, test := range []struct {
		name   string
		second Host
		want   Delivery
		partly bool
		state  State
	}{
		{"both", host("mx2.example.org", record(t, tlsa.EE, chain)), WithDANE, false, Clean},
		{"one without records", host("mx2.example.org"), Opportunistic, false, Warnings},
		{"one broken", host("mx2.example.org", record(t, tlsa.EE, other)), WithDANE, true, Broken},
		{"one out of reach", mailHost("mx2.example.org", published("mx2.example.org", record(t, tlsa.EE, chain)), without("192.0.2.2", rollover.Unreached, "timed out")), WithDANE, true, Warnings},
	} {
		for _, hosts := range [][]Host{{good, test.second}, {test.second, good}} {
			r := Judge(mailDomain(hosts...))
			if v := r.Senders[0]; v.Delivery != test.want || v.Partly != test.partly {
				t.Errorf("%s, %s first: %s, partly %t (%s), want %s, %t", test.name, hosts[0].Name, v.Delivery, v.Partly, v.Why, test.want, test.partly)
			}
			if r.State != test.state {
				t.Errorf("%s, %s first: %s, want %s:%s", test.name, hosts[0].Name, r.State, test.state, texts(r.Findings))
			}
		}
	}
}

// TestReportShowsItsEvidence: what the verdicts rest on is in the report.
func TestReportShowsItsEvidence(t *testing.T) {
	ca := newAuthority(t)
	chain := ca.chain(leafOf{})
	ee, ta := record(t, tlsa.EE, chain), record(t, tlsa.TA, chain)
	h := mailHost("mx1.example.org", published("mx1.example.org", ee, ta), serving("192.0.2.1", chain))
	h.Bases[0].Servers = append(h.Bases[0].Servers, rollover.ServerView{Name: "ns3.example.org.", Address: "192.0.2.55:53", Answer: rollover.Unseen[tlsa.RRset]("no answer")})
	r := Judge(mailDomain(h))
	if len(r.Lookups) != 1 || r.Lookups[0].What != "MX" || r.Lookups[0].Security != rollover.Secure {
		t.Errorf("steps to the hosts: %+v", r.Lookups)
	}
	got := r.Hosts[0]
	if len(got.Lookups) != 2 || got.Lookups[0].What != "A, AAAA" || got.Lookups[1].Name != "_25._tcp.mx1.example.org." {
		t.Errorf("steps to the records: %+v", got.Lookups)
	}
	if len(got.Servers) != 3 || len(got.Servers[0].Records) != 2 || got.Servers[0].TTL != 3600 || got.Servers[2].Error != "no answer" {
		t.Errorf("servers: %+v", got.Servers)
	}
	a := got.Addresses[0]
	if a.Verified != rollover.Yes || a.Why != "3 1 1 depth 0" || a.Version != "TLS 1.3" || len(a.Handshakes) != 6 || a.Handshakes[0].Leaf != chain.LeafID() {
		t.Errorf("address: %+v", a)
	}
	h.Bases[0].Resolved = rollover.Seen(tlsa.NewRRset(time.Hour, record(t, tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}, chain)))
	if a := Judge(mailDomain(h)).Hosts[0].Addresses[0]; a.Verified != rollover.Yes || a.Why != "3 1 1 depth 0" {
		t.Errorf("address, where the resolver holds what nobody can use: %+v", a)
	}
	if got.Scheme != SchemeCurrentIssuer {
		t.Errorf("scheme %q", got.Scheme)
	}
}

func TestScheme(t *testing.T) {
	ca := newAuthority(t)
	one, two := ca.chain(leafOf{}), ca.chain(leafOf{})
	pkix := tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}
	for _, test := range []struct {
		records []tlsa.Association
		want    Scheme
	}{
		{nil, SchemeNone},
		{[]tlsa.Association{record(t, tlsa.EE, one)}, SchemeCurrent},
		{[]tlsa.Association{record(t, tlsa.EE, one), record(t, tlsa.EE, two)}, SchemeCurrentNext},
		{[]tlsa.Association{record(t, tlsa.EE, one), record(t, tlsa.TA, one)}, SchemeCurrentIssuer},
		{[]tlsa.Association{record(t, tlsa.TA, one)}, SchemeIssuer},
		{[]tlsa.Association{record(t, pkix, one), record(t, pkix, two)}, SchemeNone},
	} {
		if got := schemeOf(tlsa.NewRRset(0, test.records...), tlsa.Reference{SMTP: true}); got != test.want {
			t.Errorf("%v: %q, want %q", test.records, got, test.want)
		}
	}
}
