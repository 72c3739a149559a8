package survey

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestDomain: two hosts, one of which takes its mail at an address that nobody answers.
func TestDomain(t *testing.T) {
	w := newWorld(t,
		"example.org. 60 IN SOA ns.example.org. root.example.org. 1 1 1 1 60",
		"example.org. 60 IN MX 20 MX2.example.org.", "example.org. 60 IN MX 10 mx1.example.org.", "example.org. 60 IN MX 30 mx1.example.org.",
		"mx1.example.org. 60 IN A 192.0.2.1", "mx1.example.org. 60 IN AAAA 2001:db8::1", "mx2.example.org. 60 IN A 192.0.2.2",
		`example.org. 60 IN CAA 0 issue "ca.example.net"`, `_smtp._tls.example.org. 60 IN TXT "v=TLSRPTv1; rua=" "mailto:tls@example.org"`)
	chain := w.mailServer("192.0.2.1:25", "mx1.example.org")
	other := w.mailServer("192.0.2.2:25", "mx2.example.org")
	a, err := chain.Association(tlsa.EE, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.add("_25._tcp.mx1.example.org. 60 IN TLSA " + a.String())
	d := w.round().Domain(t.Context(), "Example.ORG.")

	if d.Name != "example.org" || d.Zone.Security != rollover.Secure || d.MX.Security != rollover.Secure {
		t.Errorf("name %s, zone %+v, MX %+v", d.Name, d.Zone, d.MX)
	}
	want := []audit.Exchange{{Preference: 10, Host: "mx1.example.org"}, {Preference: 20, Host: "mx2.example.org"}, {Preference: 30, Host: "mx1.example.org"}}
	if diff := cmp.Diff(want, d.MX.Records); diff != "" {
		t.Errorf("MX records (-want +got):\n%s", diff)
	}
	if len(d.Hosts) != 2 {
		t.Fatalf("%d hosts, want each once", len(d.Hosts))
	}
	mx1, mx2 := d.Hosts[0], d.Hosts[1]
	if mx1.Name != "mx1.example.org" || mx1.Preference != 10 || !mx1.SMTP || !slices.Equal(mx1.NextHop, []string{"example.org"}) {
		t.Errorf("first host: %s %d %t %v", mx1.Name, mx1.Preference, mx1.SMTP, mx1.NextHop)
	}
	if diff := cmp.Diff(rollover.Seen([]string{`0 issue "ca.example.net"`}), mx1.CAA); diff != "" {
		t.Errorf("CAA, found above the host (-want +got):\n%s", diff)
	}
	if d.Reports.Value != "v=TLSRPTv1; rua=mailto:tls@example.org" {
		t.Errorf("TLSRPT: %+v", d.Reports)
	}
	if len(mx1.Bases) != 1 || !mx1.Bases[0].Resolved.Value.Has(a) || mx1.Bases[0].Security != rollover.Secure {
		t.Errorf("records of mx1: %+v", mx1.Bases)
	}
	if len(mx2.Bases) != 1 || !mx2.Bases[0].Resolved.Known() || !mx2.Bases[0].Resolved.Value.Denial() {
		t.Errorf("records of mx2: %+v", mx2.Bases)
	}
	if len(mx1.Addresses) != 2 || len(mx1.Addresses[0].Handshakes) != 6 {
		t.Fatalf("addresses of mx1: %+v", mx1.Addresses)
	}
	first := mx1.Addresses[0].Handshakes[0]
	if first.Outcome != rollover.Served || first.Chain.ID() != chain.ID() || !strings.Contains(first.Untrusted, "unknown authority") {
		t.Errorf("handshake: %+v", first)
	}
	if got := mx1.Addresses[1].Handshakes[0].Outcome; got != rollover.Unreached {
		t.Errorf("an address where nobody answers is %s", got)
	}
	if got := mx2.Addresses[0].Handshakes[0].Chain; got == nil || got.ID() != other.ID() {
		t.Error("mx2 presents another chain")
	}
}

// TestRoundLooksOnce: what many domains share is looked at once.
func TestRoundLooksOnce(t *testing.T) {
	w := newWorld(t, "mx.example.net. 60 IN A 192.0.2.1")
	w.mailServer("192.0.2.1:25", "mx.example.net")
	domains := []string{"one.example.org", "two.example.org", "three.example.org"}
	for _, name := range domains {
		w.add(name + ". 60 IN MX 10 mx.example.net.")
	}
	r := w.round()
	for _, name := range domains {
		if d := r.Domain(t.Context(), name); len(d.Hosts) != 1 || d.Hosts[0].Addresses[0].Handshakes[0].Chain == nil {
			t.Errorf("%s: %+v", name, d.Hosts)
		}
	}
	if n := w.asked["192.0.2.1:25"]; n > 9 {
		t.Errorf("%d connections for three domains, want those of one", n)
	}
	if n := w.asked["mx.example.net. A"]; n != 1 {
		t.Errorf("%d questions for one address", n)
	}
}

// TestWhereMailGoes: the shapes of MX lookups (RFC 5321, section 5.1; RFC 7505).
func TestWhereMailGoes(t *testing.T) {
	for _, test := range []struct {
		name    string
		records []string
		check   func(audit.Domain) bool
	}{
		{"null MX", []string{"d.example. 60 IN MX 0 ."}, func(d audit.Domain) bool { return d.MX.Null && len(d.Hosts) == 0 }},
		{"null MX beside another", []string{"d.example. 60 IN MX 0 .", "d.example. 60 IN MX 10 mx.d.example."}, func(d audit.Domain) bool { return !d.MX.Null && len(d.MX.Records) == 2 && len(d.Hosts) == 1 }},
		{"implicit", []string{"d.example. 60 IN A 192.0.2.1"}, func(d audit.Domain) bool {
			return d.MX.Implicit && !d.MX.Exists && len(d.Hosts) == 1 && d.Hosts[0].Name == "d.example" && d.Hosts[0].NextHop == nil
		}},
		{"nothing but a policy for what it sends", []string{`d.example. 60 IN TXT "v=spf1 -all"`}, func(d audit.Domain) bool {
			return !d.MX.Implicit && !d.MX.NoName && len(d.Hosts) == 0 && d.MX.SPF == "v=spf1 -all"
		}},
		{"no such name", nil, func(d audit.Domain) bool { return d.MX.NoName && len(d.Hosts) == 0 }},
		{"an address for a host", []string{"d.example. 60 IN MX 10 192.0.2.1."}, func(d audit.Domain) bool {
			return len(d.Hosts) == 0 && strings.Contains(d.MX.Records[0].Err, "address")
		}},
		{"no host names", []string{"d.example. 60 IN MX 10 -mx.d.example.", "d.example. 60 IN MX 20 *.d.example.", "d.example. 60 IN MX 30 mx_1.d.example."}, func(d audit.Domain) bool {
			return len(d.Hosts) == 1 && d.Hosts[0].Name == "mx_1.d.example" && strings.Contains(d.MX.Records[0].Err, "host name") && strings.Contains(d.MX.Records[1].Err, "host name")
		}},
		{"an alias", []string{"d.example. 60 IN CNAME e.example.", "e.example. 60 IN MX 10 mx.e.example."}, func(d audit.Domain) bool {
			return len(d.MX.Aliases) == 1 && len(d.Hosts) == 1 && slices.Equal(d.Hosts[0].NextHop, []string{"d.example", "e.example"})
		}},
		{"records at the domain", []string{"d.example. 60 IN MX 10 mx.d.example.", "_25._tcp.d.example. 60 IN TLSA 3 1 1 " + strings.Repeat("ab", 32)}, func(d audit.Domain) bool {
			return d.AtDomain != nil && len(d.AtDomain.Resolved.Value.Associations) == 1
		}},
		{"a host that is an alias", []string{"d.example. 60 IN MX 10 mx.d.example.", "mx.d.example. 60 IN CNAME h.example.", "h.example. 60 IN A 192.0.2.1"}, func(d audit.Domain) bool {
			h := d.Hosts[0]
			return h.Target == "h.example" && len(h.Aliases) == 1 && len(h.Bases) == 2 && h.Bases[0].Name == "h.example" && h.Bases[1].Name == "mx.d.example"
		}},
		{"two policies for reports", []string{"d.example. 60 IN MX 0 .", `_smtp._tls.d.example. 60 IN TXT "v=TLSRPTv1; rua=mailto:a@d.example"`, `_smtp._tls.d.example. 60 IN TXT "v=TLSRPTv1; rua=mailto:b@d.example"`},
			func(d audit.Domain) bool { return strings.Count(d.Reports.Value, "v=TLSRPTv1") == 2 }},
	} {
		w := newWorld(t, test.records...)
		if d := w.round().Domain(t.Context(), "d.example"); !test.check(d) {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
}

// TestUnknownIsNotAbsent: a name that gets no answer is unknown, with the reason.
func TestUnknownIsNotAbsent(t *testing.T) {
	w := newWorld(t, "d.example. 60 IN MX 10 mx.d.example.")
	w.silent = []string{"mx.d.example.", "_smtp._tls.d.example.", "_mta-sts.d.example."}
	d := w.round().Domain(t.Context(), "d.example")
	if h := d.Hosts[0]; h.Reach.Err == "" || h.Bases != nil || h.CAA.Known() || h.Zone.Security != rollover.Indeterminate {
		t.Errorf("host: %+v", h)
	}
	if d.Reports.Known() || d.STS.Record.Known() {
		t.Errorf("reports %+v, policy %+v", d.Reports, d.STS)
	}
	w.silent = []string{"d.example."}
	if d := w.round().Domain(t.Context(), "d.example"); d.MX.Err == "" || d.MX.Implicit || len(d.Hosts) > 0 {
		t.Errorf("domain: %+v", d.MX)
	}
	for _, name := range []string{"", "a..b", strings.Repeat("a", 64) + ".example"} {
		if d := w.round().Domain(t.Context(), name); d.MX.Err == "" {
			t.Errorf("%q was taken for a domain", name)
		}
	}
}

// TestBogusIsWithheld: what does not validate is not taken for what it says.
func TestBogusIsWithheld(t *testing.T) {
	w := newWorld(t, "d.example. 60 IN MX 0 .", `_smtp._tls.d.example. 60 IN TXT "v=TLSRPTv1; rua=mailto:a@d.example"`, `_mta-sts.d.example. 60 IN TXT "v=STSv1; id=1"`)
	if d := w.round().Domain(t.Context(), "d.example"); !d.Reports.Known() || d.Reports.Value == "" || d.STS.Record.Value == "" {
		t.Errorf("valid: reports %+v, policy %+v", d.Reports, d.STS)
	}
	w.bogus = []string{"_smtp._tls.d.example.", "_mta-sts.d.example."}
	if d := w.round().Domain(t.Context(), "d.example"); d.Reports.Known() || d.STS.Record.Known() {
		t.Errorf("bogus: reports %+v, policy %+v", d.Reports, d.STS)
	}
}

// TestRecordsInVain: where the addresses are not signed no client asks for records, and
// those that stand are seen all the same.
func TestRecordsInVain(t *testing.T) {
	w := newWorld(t, "d.example. 60 IN MX 10 mx.u.example.", "mx.u.example. 60 IN A 192.0.2.1", "_25._tcp.mx.u.example. 60 IN TLSA 3 1 1 "+strings.Repeat("ab", 32))
	w.insecure = []string{"u.example."}
	h := w.round().Domain(t.Context(), "d.example").Hosts[0]
	if len(h.Bases) != 1 || !h.Bases[0].InVain || h.Reach.Security != rollover.Insecure {
		t.Errorf("%+v", h)
	}
	w.records = w.records[:2]
	w.add("mx.u.example. 60 IN A 192.0.2.1")
	if h := w.round().Domain(t.Context(), "d.example").Hosts[0]; len(h.Bases) != 0 {
		t.Errorf("without records: %+v", h.Bases)
	}
}

// TestAnyOrder: resolvers give the records of an RRset in another order each time, and what
// was seen is the same.
func TestAnyOrder(t *testing.T) {
	records := []string{
		"d.example. 60 IN MX 10 mx.d.example.", "d.example. 60 IN MX 10 mx2.d.example.", "mx.d.example. 60 IN A 192.0.2.1", "mx.d.example. 60 IN A 192.0.2.2",
		`d.example. 60 IN CAA 0 issue "a.example.net"`, `d.example. 60 IN CAA 0 issue "b.example.net"`,
		`_mta-sts.d.example. 60 IN TXT "v=STSv1 id=1"`, `_mta-sts.d.example. 60 IN TXT "v=STSv1 id=2"`,
		`_smtp._tls.d.example. 60 IN TXT "v=TLSRPTv1; rua=mailto:a@d.example"`, `_smtp._tls.d.example. 60 IN TXT "v=TLSRPTv1; rua=mailto:b@d.example"`,
	}
	look := func() audit.Domain {
		d := newWorld(t, records...).round().Domain(t.Context(), "d.example")
		d.At = time.Time{}
		return d
	}
	before := look()
	slices.Reverse(records)
	if diff := cmp.Diff(before, look(), cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Error(diff)
	}
}
