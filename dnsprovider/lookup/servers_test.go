package lookup_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// reply makes a mangle that answers every question with an RCODE.
func reply(rcode int) func(string, *dns.Msg, *dns.Msg) (*dns.Msg, error) {
	return func(_ string, q, _ *dns.Msg) (*dns.Msg, error) { return new(dns.Msg).SetRcode(q, rcode), nil }
}

func fails(err error) func(string, *dns.Msg, *dns.Msg) (*dns.Msg, error) {
	return func(string, *dns.Msg, *dns.Msg) (*dns.Msg, error) { return nil, err }
}

func TestFaultyServers(t *testing.T) {
	notAA := func(_ string, q, r *dns.Msg) (*dns.Msg, error) { r.Authoritative = false; return r, nil }
	upward := func(_ string, q, _ *dns.Msg) (*dns.Msg, error) {
		r := new(dns.Msg).SetReply(q)
		ns, _ := dns.NewRR(". 518400 IN NS a.root.")
		r.Ns = []dns.RR{ns}
		return r, nil
	}
	wrongQuestion := func(_ string, q, r *dns.Msg) (*dns.Msg, error) { r.Question[0].Name = "x.example.org."; return r, nil }
	wrongName := func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Qtype == dns.TypeTLSA {
			for _, rr := range r.Answer {
				rr.Header().Name = "x.example.org."
			}
		}
		return r, nil
	}
	const lame = " (hint: take it out of the NS set, configure the zone there, or exclude it)"
	tests := []struct {
		name   string
		mangle func(string, *dns.Msg, *dns.Msg) (*dns.Msg, error)
		fault  lookup.Fault
		text   string
		code   string
	}{
		{"REFUSED", reply(dns.RcodeRefused), lookup.FaultLame, "REFUSED: it does not serve the zone" + lame, lookup.FindingLame},
		{"NOTAUTH", reply(dns.RcodeNotAuth), lookup.FaultLame, "NOTAUTH: it does not serve the zone" + lame, lookup.FindingLame},
		{"SERVFAIL", reply(dns.RcodeServerFailure), lookup.FaultServerFailure, "SERVFAIL", ""},
		{"no EDNS", reply(dns.RcodeFormatError), lookup.FaultServerFailure, "FORMERR: it seems not to understand EDNS, without which there is no DNSSEC", ""},
		{"not authoritative", notAA, lookup.FaultLame, "an answer without authority (AA=0): it does not serve the zone" + lame, lookup.FindingLame},
		{"upward referral", upward, lookup.FaultLame, "an answer without authority (AA=0): it does not serve the zone" + lame, lookup.FindingLame},
		{"silent", fails(errSilent), lookup.FaultSilent, "no answer: 3 tries over UDP (timeout), then TCP (timeout)", ""},
		{"port closed", fails(syscall.ECONNREFUSED), lookup.FaultSilent, "no answer: 3 tries over UDP (connection refused), then TCP (connection refused)", ""},
		{"answers something else", wrongQuestion, lookup.FaultSilent, "no answer: 3 tries over UDP (a reply to another question), then TCP (a reply to another question)", ""},
		{"answers another name", wrongName, lookup.FaultMalformed, "an answer that speaks of x.example.org.", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.servers[ns1].mangle = test.mangle
				v := w.look(mx)
				s := at(t, v, ns1)
				if s.Fault != test.fault || s.Err != test.text {
					t.Errorf("fault %s: %s\nwant  %s: %s", s.Fault, s.Err, test.fault, test.text)
				}
				if !s.RRset.Denial() || s.Denied {
					t.Errorf("RRset %v, denied %v", s.RRset, s.Denied)
				}
				if got := strings.Join(codes(v), " "); got != test.code {
					t.Errorf("findings %v", v.Findings)
				}
				if o := at(t, v, ns2); o.Err != "" || v.Err != "" || v.Incomplete != "" {
					t.Errorf("others suffer: %q, %q, %q", o.Err, v.Err, v.Incomplete)
				}
			})
		})
	}
}

func TestEveryServerSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, a := range []netip.AddrPort{ns1, ns2, ns2v6} {
			w.servers[a].mangle = fails(errSilent)
		}
		v := w.look(mx)
		if len(v.Servers) != 3 || v.Err != "" {
			t.Errorf("servers %v, error %q: who they are is known by the parent", names(v), v.Err)
		}
		for _, s := range v.Servers {
			if s.Fault != lookup.FaultSilent || s.Source != lookup.SourceParent {
				t.Errorf("%s: %s, from %s", s.Server, s.Err, s.Source)
			}
		}
	})
}

func TestSilentServerIsWaitedForOnceAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 50 {
			w.zones["example.org."].put(fmt.Sprintf("_25._tcp.mx%d 1800 TLSA %s\n", i, one))
		}
		w.servers[ns1].mangle = fails(errSilent)
		p := w.client().NewPass(nil)
		began := time.Now()
		for i := range 50 {
			p.Owner(t.Context(), owner("_25._tcp.mx%d.example.org.", i))
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("50 owners took %s", took)
		}
		if n := w.count(ns1.Addr().String()); n > 4 {
			t.Errorf("%d questions to a dead server", n)
		}
	})
}

func TestServerThatDropsOneZoneIsAskedAboutOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.zone("third.org.", "@ 60 SOA ns1.example.org. h 1 1 1 1 60\n@ 60 NS ns1.example.org.\n_25._tcp 60 TLSA "+one+"\n", ns1)
		w.zones["org."].put("third 60 NS ns1.example\n")
		w.servers[ns1].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if strings.HasSuffix(q.Question[0].Name, "example.org.") {
				return nil, errSilent
			}
			return r, nil
		}
		p := w.client().NewPass(nil)
		if s := at(t, p.Owner(t.Context(), mx), ns1); s.Fault != lookup.FaultSilent {
			t.Errorf("%#v", s)
		}
		if s := at(t, p.Owner(t.Context(), "_25._tcp.third.org."), ns1); s.Err != "" {
			t.Errorf("%#v", s)
		}
	})
}

func TestParentAndChildNameDifferentServers(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].put("example 86400 NS old.other\nold.other 86400 A 203.0.113.99\n")
	w.zones["example.org."].put("@ 7200 NS new.other.org.\n")
	w.zones["other.org."].put("old 300 A 203.0.113.99\nnew 300 A 203.0.113.77\nnew 300 AAAA 2001:db8::77\n")
	for _, a := range []string{"203.0.113.99", "203.0.113.77", "2001:db8::77"} {
		w.servers[addrPort(a)] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	}
	v := w.look(mx)
	sources := map[string]lookup.Source{}
	for _, s := range v.Servers {
		sources[s.Server.String()] = s.Source
		if s.Err != "" {
			t.Errorf("%s: %s", s.Server, s.Err)
		}
	}
	want := map[string]lookup.Source{
		"ns1.example.org. (192.0.2.53)": lookup.SourceBoth, "ns2.example.org. (198.51.100.53)": lookup.SourceBoth, "ns2.example.org. (2001:db8::53)": lookup.SourceBoth,
		"old.other.org. (203.0.113.99)": lookup.SourceParent, "new.other.org. (203.0.113.77)": lookup.SourceChild, "new.other.org. (2001:db8::77)": lookup.SourceChild,
	}
	if !cmp.Equal(sources, want) {
		t.Error(cmp.Diff(want, sources))
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingNSDisagree}) {
		t.Errorf("findings %v", v.Findings)
	}
	if s := at(t, v, addrPort("203.0.113.77")); s.NSTTL != 2*time.Hour {
		t.Errorf("NS TTL %s of a server that only the child names", s.NSTTL)
	}
}

func TestNSTTLIsTheLargerOfParentAndChild(t *testing.T) {
	for _, ttls := range [][2]int{{172800, 300}, {300, 172800}} {
		w := newWorld(t)
		w.zones["org."].drop("example.org.", dns.TypeNS)
		w.zones["org."].put(fmt.Sprintf("example %d NS ns1.example\n", ttls[0]))
		w.zones["example.org."].drop("example.org.", dns.TypeNS)
		w.zones["example.org."].put(fmt.Sprintf("@ %d NS ns1\n", ttls[1]))
		if s := at(t, w.look(mx), ns1); s.NSTTL != 48*time.Hour {
			t.Errorf("parent %d, child %d: %s", ttls[0], ttls[1], s.NSTTL)
		}
	}
}

func TestGlueAndZoneNameDifferentAddresses(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop("ns1.example.org.")
	z.put("ns1 7200 A 192.0.2.54\n")
	w.servers[addrPort("192.0.2.54")] = &authServer{zones: map[string]*authZone{"example.org.": z}}
	v := w.look(mx)
	at(t, v, ns1) // the glue: resolvers use it
	at(t, v, addrPort("192.0.2.54"))
}

func TestGlueFromOutsideTheBailiwickIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	for _, a := range []netip.AddrPort{ns1, ns2, ns2v6} {
		w.servers[a].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Qtype == dns.TypeNS {
				r.Answer = append(r.Answer, mustRR("example.org. 60 IN NS ns.other.org."))
				r.Extra = append(r.Extra, mustRR("ns.other.org. 60 IN A 203.0.113.1"))
			}
			return r, nil
		}
	}
	v := w.look(mx)
	if slices.Contains(names(v), "ns.other.org. (203.0.113.1)") {
		t.Errorf("servers %v", names(v))
	}
	at(t, v, otherAddr)
}

func mustRR(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(err)
	}
	return rr
}

func TestNameServerWithoutAddress(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].put("example 86400 NS gone.other\n")
	w.zones["example.org."].put("@ 7200 NS gone.other.org.\n")
	v := w.look(mx)
	i := slices.IndexFunc(v.Servers, func(s lookup.ServerView) bool { return s.Name == "gone.other.org." })
	if i < 0 {
		t.Fatalf("servers %v", names(v))
	}
	s := v.Servers[i]
	if s.Fault != lookup.FaultNoAddress || s.Err != "gone.other.org. has no address: neither A nor AAAA" || s.Address.IsValid() {
		t.Errorf("%#v", s)
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingNoAddress}) {
		t.Errorf("findings %v", v.Findings)
	}
	v = w.lookWith(mx, map[string]lookup.Zone{"Example.ORG": {Exclude: []string{"GONE.other.org"}}})
	if len(v.Servers) != 3 || len(v.Excluded) != 1 {
		t.Errorf("servers %v, excluded %v", names(v), v.Excluded)
	}
}

// TestServerWhoseAddressIsNotKnown: it is no server without address, as it may have one.
func TestServerWhoseAddressIsNotKnown(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].put("example 86400 NS ns9.other\n")
	w.zones["example.org."].put("@ 7200 NS ns9.other.org.\n")
	w.zones["other.org."].put("ns9 300 A 203.0.113.99\n")
	w.servers[addrPort("203.0.113.99")] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Name == "ns9.other.org." {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return nil
	}
	v := w.look(mx)
	if len(v.Servers) != 3 || !strings.HasPrefix(v.Incomplete, "addresses of ns9.other.org.: ") || !cmp.Equal(codes(v), []string{lookup.FindingNoAddress}) {
		t.Errorf("servers %v, incomplete %q, findings %v", names(v), v.Incomplete, v.Findings)
	}
	// Who asks all servers for something else is told of it.
	views, err := w.client().NewPass(nil).TXT(t.Context(), "_acme-challenge.mx.example.org.")
	if i := slices.IndexFunc(views, func(x lookup.TXTView) bool { return x.Name == "ns9.other.org." }); i < 0 || views[i].Err == "" || err != nil {
		t.Errorf("%+v, %v", views, err)
	}
	w.resolver.override = nil
	if v := w.look(mx); len(v.Servers) != 4 || v.Incomplete != "" {
		t.Errorf("servers %v, incomplete %q", names(v), v.Incomplete)
	}
}

func TestNoRouteToAFamily(t *testing.T) {
	noRoute := &syscallError{syscall.ENETUNREACH}
	w := newWorld(t)
	w.servers[ns2v6].mangle = fails(noRoute)
	s := at(t, w.look(mx), ns2v6)
	if !s.FamilyUntested || s.Fault != lookup.FaultNoRoute || s.JudgedBy != ns2 || s.Err != "no route to an IPv6 address from this host: dial: network is unreachable" {
		t.Errorf("%#v", s)
	}
	want := "ns2.example.org. (2001:db8::53) cannot be asked from here; it is judged by 198.51.100.53 (no route to an IPv6 address)"
	if got := text(t, w.look(mx), lookup.FindingFamilyUntested); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if n := w.count(ns2v6.Addr().String()); n > 4 {
		t.Errorf("%d questions without a route", n)
	}
	// The other address of the name does not answer either: nobody speaks for it.
	w.servers[ns2].mangle = reply(dns.RcodeRefused)
	if s := at(t, w.look(mx), ns2v6); !s.FamilyUntested || s.JudgedBy.IsValid() {
		t.Errorf("%#v", s)
	}
	// A name with IPv6 only.
	w = newWorld(t)
	w.servers[ns2v6].mangle = fails(noRoute)
	w.zones["org."].drop("ns2.example.org.", dns.TypeA)
	w.zones["example.org."].drop("ns2.example.org.", dns.TypeA)
	if s := at(t, w.look(mx), ns2v6); !s.FamilyUntested || s.JudgedBy.IsValid() {
		t.Errorf("%#v", s)
	}
}

type syscallError struct{ err error }

func (e *syscallError) Error() string { return "dial: " + e.err.Error() }
func (e *syscallError) Unwrap() error { return e.err }

func TestLaggingSecondaryWithTheSameSerial(t *testing.T) {
	w := newWorld(t)
	old := w.own(ns2, "example.org.")
	w.zones["example.org."].put(string(mx) + " 1800 TLSA " + two + "\n")
	v := w.look(mx)
	if got := records(at(t, v, ns1).RRset); got != one+", "+two {
		t.Errorf("ns1 gives %s", got)
	}
	if got := records(at(t, v, ns2).RRset); got != one {
		t.Errorf("ns2 gives %s: content decides, serials are equal", got)
	}
	// Nor do unrelated serials matter.
	old.drop("example.org.", dns.TypeSOA)
	old.put("@ 3600 SOA ns1 hostmaster 4294967295 1800 900 604800 600\n")
	old.put(string(mx) + " 1800 TLSA " + two + "\n")
	if got := records(at(t, w.look(mx), ns2).RRset); got != one+", "+two {
		t.Errorf("ns2 gives %s", got)
	}
}

func TestEachPassLooksAnew(t *testing.T) {
	// An anycast address flips between new and old answers.
	w := newWorld(t)
	c := w.client()
	other := *w.zones["example.org."]
	other.records = slices.Clone(other.records)
	other.put(string(mx) + " 1800 TLSA " + two + "\n")
	for i := range 4 {
		want := one
		w.servers[ns1].zones["example.org."] = w.zones["example.org."]
		if i%2 == 1 {
			want = one + ", " + two
			w.servers[ns1].zones["example.org."] = &other
		}
		if got := records(at(t, c.NewPass(nil).Owner(t.Context(), mx), ns1).RRset); got != want {
			t.Errorf("look %d: %s, want %s", i, got, want)
		}
	}
}
