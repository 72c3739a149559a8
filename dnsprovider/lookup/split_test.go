package lookup_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// text returns the finding of a code.
func text(t *testing.T, v lookup.View, code string) string {
	t.Helper()
	i := slices.IndexFunc(v.Findings, func(f lookup.Finding) bool { return f.Code == code })
	if i < 0 {
		t.Fatalf("no finding %s among %v", code, v.Findings)
	}
	return v.Findings[i].Text
}

func TestPrivateAddressInAPublicZone(t *testing.T) {
	for _, private := range []string{"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.53", "fd00::1", "fe80::1", "::1"} {
		t.Run(private, func(t *testing.T) {
			w := newWorld(t)
			typ := "A"
			if strings.Contains(private, ":") {
				typ = "AAAA"
			}
			w.zones["example.org."].put("ns1 7200 " + typ + " " + private + "\n")
			w.servers[addrPort(private)] = &authServer{zones: w.servers[ns1].zones}
			v := w.look(mx)
			want := "zone example.org.: private address in a public zone: ns1.example.org. (" + private + ") (hint: is the resolver's view that of the public? set private for a zone that is not public)"
			if got := text(t, v, lookup.FindingSplitDNS); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			if s := at(t, v, addrPort(private)); s.Err != "" {
				t.Errorf("it is asked all the same: %s", s.Err)
			}
			v = w.lookWith(mx, map[string]lookup.Zone{"example.org": {Private: true}})
			if got := codes(v); len(got) > 0 {
				t.Errorf("findings %v in a private zone", v.Findings)
			}
		})
	}
}

func TestResolverSeesAnotherZone(t *testing.T) {
	// The office's resolver has an internal zone of the same name.
	w := newWorld(t)
	inside := addrPort("192.0.2.200")
	internal := &authZone{t: t, name: "example.org.", now: w.now}
	internal.put("@ 60 SOA int hostmaster 1 1 1 1 60\n@ 60 NS int\nint 60 A 192.0.2.200\n_25._tcp.mx 60 TLSA " + two + "\n")
	w.servers[inside] = &authServer{zones: map[string]*authZone{"example.org.": internal}}
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if dns.IsSubDomain("example.org.", q.Question[0].Name) {
			return internal.answer(q)
		}
		return nil
	}
	v := w.look(mx)
	if got, want := text(t, v, lookup.FindingSplitDNS), "zone example.org.: the resolver's name servers (int.example.org.) are others than those of parent and child: it sees another zone"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !slices.Contains(codes(v), lookup.FindingResolverDiffers) {
		t.Errorf("findings %v", v.Findings)
	}
	if s := at(t, v, ns1); records(s.RRset) != one || s.Source != lookup.SourceBoth {
		t.Errorf("the public servers are asked, by the parent's glue: %#v", s)
	}
	if v.Security != lookup.Insecure {
		t.Errorf("security %s", v.Security)
	}
}

func TestZoneThatTheParentDoesNotDelegate(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].drop("example.org.")
	v := w.look(mx)
	want := "the resolver knows a zone example.org., but the servers of org. delegate no such zone: the world sees something else (hint: set private for a zone that is not public)"
	if got := text(t, v, lookup.FindingSplitDNS); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(v.Servers) != 3 || v.Servers[0].Source != lookup.SourceChild {
		t.Errorf("servers %v", names(v))
	}
	v = w.lookWith(mx, map[string]lookup.Zone{"example.org.": {Private: true}})
	if slices.Contains(codes(v), lookup.FindingSplitDNS) {
		t.Errorf("findings %v", v.Findings)
	}
}

func TestParentThatCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.servers[orgAddr].mangle = fails(errSilent)
		v := w.look(mx)
		if v.Incomplete != "" || v.Servers[0].Source != lookup.SourceBoth {
			t.Errorf("another server of the parent answers: %q", v.Incomplete)
		}
		w.servers[orgAddr2].mangle = reply(dns.RcodeRefused)
		v = w.look(mx)
		want := "zone example.org.: no server of its parent org. answers: a.nic.org.: no answer: 3 tries over UDP (timeout), then TCP (timeout); b.nic.org.: REFUSED"
		if !strings.HasPrefix(v.Incomplete, want) {
			t.Errorf("incomplete: %s\nwant %s", v.Incomplete, want)
		}
		if v.Err != "" || len(v.Servers) != 3 {
			t.Errorf("the resolver and the child know some: %v, error %q", names(v), v.Err)
		}
		v = w.lookWith(mx, map[string]lookup.Zone{"example.org.": {Private: true}})
		if v.Incomplete != "" {
			t.Errorf("a private zone needs no parent: %s", v.Incomplete)
		}
	})
}

func TestParentsThatDisagree(t *testing.T) {
	w := newWorld(t)
	old := w.own(orgAddr2, "org.")
	old.put("example 86400 NS old.other\nold.other 86400 A 203.0.113.99\n")
	w.servers[addrPort("203.0.113.99")] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	v := w.look(mx)
	if s := at(t, v, addrPort("203.0.113.99")); s.Source != lookup.SourceParent {
		t.Errorf("%#v", s)
	}
}

func TestParentAndChildOnOneServer(t *testing.T) {
	w := newWorld(t)
	w.servers[orgAddr].zones["example.org."] = w.zones["example.org."]
	w.servers[orgAddr2].zones["example.org."] = w.zones["example.org."]
	v := w.look(mx)
	if v.Err != "" || v.Incomplete != "" || len(v.Servers) != 3 || len(v.Findings) > 0 {
		t.Errorf("servers %v, %q, %q, %v", names(v), v.Err, v.Incomplete, v.Findings)
	}
}

func TestRootHasNoParent(t *testing.T) {
	w := newWorld(t)
	w.zones["."].put("_25._tcp 60 TLSA " + one + "\n")
	v := w.look("_25._tcp.")
	if v.Err != "" || v.Incomplete != "" || v.Zone != "." || records(at(t, v, rootAddr).RRset) != one {
		t.Errorf("zone %s, %q, %q", v.Zone, v.Err, v.Incomplete)
	}
}

func TestEveryServerExcluded(t *testing.T) {
	w := newWorld(t)
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org.": {Exclude: []string{"ns1.example.org", "ns2.example.org"}}})
	if want := "zone example.org.: no server to ask: none is named (hint: are all of them excluded?)"; v.Err != want {
		t.Errorf("error %q, want %q", v.Err, want)
	}
}

func TestDelegatedBelowTheHost(t *testing.T) {
	// _tcp.mx is a zone of its own, and the resolver knows it.
	w := newWorld(t)
	w.zones["example.org."].drop(string(mx))
	w.zones["example.org."].put("_tcp.mx 300 NS ns.other.org.\n")
	w.zone("_tcp.mx.example.org.", "@ 60 SOA ns.other.org. h 1 1 1 1 60\n@ 60 NS ns.other.org.\n_25 60 TLSA "+two+"\n", otherAddr)
	w.sign("_tcp.mx.example.org.")
	v := w.look(mx)
	if v.Err != "" || v.Zone != "_tcp.mx.example.org." || !cmp.Equal(names(v), []string{"ns.other.org. (203.0.113.53)"}) || v.Security != lookup.Secure {
		t.Errorf("zone %s, servers %v, security %s, error %q", v.Zone, names(v), v.Security, v.Err)
	}
	if s := v.Servers[0]; s.Err != "" || records(s.RRset) != two || s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
}

func TestCutThatTheResolverDoesNotKnowYet(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].drop(string(mx))
	w.zones["example.org."].put("_tcp.mx 300 NS ns.other.org.\n")
	w.zone("_tcp.mx.example.org.", "@ 60 SOA ns.other.org. h 1 1 1 1 60\n@ 60 NS ns.other.org.\n_25 60 TLSA "+two+"\n", otherAddr)
	w.sign("_tcp.mx.example.org.")
	// A secondary does not know it either, and still has the record itself.
	lag := w.own(ns2, "example.org.")
	lag.drop("_tcp.mx.example.org.")
	lag.put(string(mx) + " 1800 TLSA " + one + "\n")
	stale := *lag
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		n := q.Question[0].Name
		if (n == string(mx) || n == "_tcp.mx.example.org.") && (q.Question[0].Qtype == dns.TypeSOA || q.Question[0].Qtype == dns.TypeTLSA) {
			r := stale.answer(q)
			r.AuthenticatedData = true
			return r
		}
		return nil
	}
	v := w.look(mx)
	if v.Err != "" || v.Zone != "_tcp.mx.example.org." || !slices.Contains(codes(v), lookup.FindingCutDisagree) {
		t.Errorf("zone %s, findings %v, error %q", v.Zone, v.Findings, v.Err)
	}
	if s := at(t, v, ns1); s.Err != "" || s.Leads != "_tcp.mx.example.org." || s.Alias {
		t.Errorf("a delegation leads on, and is no alias: %#v", s)
	}
	if s := at(t, v, ns2); s.Err != "" || records(s.RRset) != one {
		t.Errorf("%#v", s)
	}
	if s := at(t, v, otherAddr); s.Err != "" || records(s.RRset) != two {
		t.Errorf("%#v", s)
	}
}

func TestServerOfBothSidesOfACut(t *testing.T) {
	// ns1 serves the child zone too and answers from it at once; the resolver
	// still takes the name for the parent's.
	w := newWorld(t)
	w.zones["example.org."].drop(string(mx))
	w.zones["example.org."].put("_tcp.mx 300 NS ns1\n")
	w.zone("_tcp.mx.example.org.", "@ 60 SOA ns1.example.org. h 1 1 1 1 60\n@ 60 NS ns1.example.org.\n_25 60 TLSA "+two+"\n", ns1)
	w.sign("_tcp.mx.example.org.")
	before := *w.zones["example.org."]
	before.drop("_tcp.mx.example.org.")
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype == dns.TypeSOA && strings.HasSuffix(q.Question[0].Name, "_tcp.mx.example.org.") {
			return before.answer(q)
		}
		return nil
	}
	v := w.look(mx)
	if s := at(t, v, ns1); s.Err != "" || s.Zone != "_tcp.mx.example.org." || records(s.RRset) != two {
		t.Errorf("%#v", s)
	}
}
