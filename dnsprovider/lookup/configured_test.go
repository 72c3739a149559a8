package lookup_test

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

func TestHiddenAndExcludedServers(t *testing.T) {
	w := newWorld(t)
	hidden := netip.MustParseAddrPort("10.0.0.53:5353")
	named := addrPort("10.0.0.54")
	for _, a := range []netip.AddrPort{hidden, named} {
		w.servers[a] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	}
	w.zones["other.org."].put("primary 300 A 10.0.0.54\n")
	c := w.own(hidden, "example.org.")
	c.drop(string(mx))
	c.put(string(mx) + " 1800 TLSA " + two + "\n")
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {
		Hidden: []string{"10.0.0.53:5353", "primary.other.org"}, Exclude: []string{"2001:db8::53", "ns1.example.org."},
	}})
	want := []string{"10.0.0.53:5353", "ns2.example.org. (198.51.100.53)", "primary.other.org. (10.0.0.54)"}
	if !cmp.Equal(names(v), want) {
		t.Errorf("servers %v, want %v", names(v), want)
	}
	if s := at(t, v, hidden); s.Source != lookup.SourceHidden || records(s.RRset) != two || s.NSTTL != 0 {
		t.Errorf("%#v", s)
	}
	if got := []string{v.Excluded[0].String(), v.Excluded[1].String()}; !cmp.Equal(got, []string{"ns1.example.org. (192.0.2.53)", "ns2.example.org. (2001:db8::53)"}) {
		t.Errorf("excluded %v", got)
	}
	if n := w.count("192.0.2.53 "); n > 0 {
		t.Errorf("%d questions to an excluded server", n)
	}
	if got := codes(v); len(got) > 0 {
		t.Errorf("findings %v: a hidden server may have a private address", v.Findings)
	}
}

func TestNobodySpeaksForAHiddenServerWithoutAName(t *testing.T) {
	w := newWorld(t)
	four, six := addrPort("192.0.2.99"), addrPort("2001:db8::99")
	w.servers[four] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.servers[six] = &authServer{mangle: fails(syscall.ENETUNREACH)}
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {Hidden: []string{"192.0.2.99", "2001:db8::99"}}})
	if s := at(t, v, six); !s.FamilyUntested || s.JudgedBy.IsValid() {
		t.Errorf("%#v", s)
	}
}

// TestHiddenServerThatIsListed: it keeps its name, by which one of its addresses speaks for another.
func TestHiddenServerThatIsListed(t *testing.T) {
	w := newWorld(t)
	w.servers[ns2v6].mangle = fails(syscall.ENETUNREACH)
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {Hidden: []string{ns2.Addr().String()}}})
	if s := at(t, v, ns2); s.Name != "ns2.example.org." || s.Source != lookup.SourceBoth || len(v.Servers) != 3 {
		t.Errorf("%#v, servers %v", s, names(v))
	}
	if s := at(t, v, ns2v6); !s.FamilyUntested || s.JudgedBy != ns2 {
		t.Errorf("%#v", s)
	}
}

// TestHiddenServerWhoseAddressesAreNotAllKnown: one that is not found now has not left.
func TestHiddenServerWhoseAddressesAreNotAllKnown(t *testing.T) {
	w := newWorld(t)
	four := addrPort("192.0.2.99")
	w.zones["other.org."].put("primary 300 A 192.0.2.99\nprimary 300 AAAA 2001:db8::99\n")
	w.servers[four] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Name == "primary.other.org." && q.Question[0].Qtype == dns.TypeAAAA {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return nil
	}
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {Hidden: []string{"primary.other.org"}}})
	if s := at(t, v, four); s.Err != "" || s.Source != lookup.SourceHidden {
		t.Errorf("%#v", s)
	}
	if want := "addresses of primary.other.org.: resolver 127.0.0.1:53: primary.other.org. AAAA: SERVFAIL"; !strings.HasPrefix(v.Incomplete, want) {
		t.Errorf("incomplete: %s\nwant %s", v.Incomplete, want)
	}
}

func TestHiddenServerBeforeTheSigner(t *testing.T) {
	w := newWorld(t)
	hidden := addrPort("192.0.2.99")
	w.servers[hidden] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.own(hidden, "example.org.").key = nil
	zones := map[string]lookup.Zone{"example.org": {Hidden: []string{"192.0.2.99"}}}
	v := w.lookWith(mx, zones)
	s := at(t, v, hidden)
	if s.Err != "" || s.Proof != lookup.Unproved || records(s.RRset) != one {
		t.Errorf("%#v", s)
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingHiddenUnsigned}) {
		t.Errorf("findings %v", v.Findings)
	}
	// The primary has the new record, the public servers do not yet.
	w.servers[hidden].zones["example.org."].put(string(mx) + " 1800 TLSA " + two + "\n")
	v = w.lookWith(mx, zones)
	if a, b := at(t, v, hidden), at(t, v, ns1); records(a.RRset) != one+", "+two || records(b.RRset) != one {
		t.Errorf("hidden %v, public %v", a.RRset, b.RRset)
	}
}

func TestHiddenServerThatCannotBeRead(t *testing.T) {
	tests := map[string]string{
		"192.0.2.53:99999": `hidden server "192.0.2.53:99999": port "99999" is not a number from 1 to 65535`,
		"ns1 .org":         `hidden server "ns1 .org": neither an address nor a host name`,
		"a..b":             `hidden server "a..b": neither an address nor a host name`,
		"":                 `hidden server "": neither an address nor a host name`,
	}
	for word, want := range tests {
		w := newWorld(t)
		v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {Hidden: []string{word}}})
		if v.Incomplete != want {
			t.Errorf("%q: %s\nwant %s", word, v.Incomplete, want)
		}
	}
}

func TestRetainedServers(t *testing.T) {
	w := newWorld(t)
	left := addrPort("203.0.113.200")
	w.servers[left] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	old := w.own(left, "example.org.")
	old.drop(string(mx))
	old.put(string(mx) + " 1800 TLSA " + two + "\n")
	retained := lookup.Retained{Server: lookup.Server{Name: "left.other.org.", Address: left}, NSTTL: 48 * time.Hour}
	listed := lookup.Retained{Server: lookup.Server{Name: "ns1.example.org.", Address: ns1}, NSTTL: time.Hour}
	v := w.look(mx, retained, listed)
	s := at(t, v, left)
	if s.Err != "" || s.Source != lookup.SourceRetained || records(s.RRset) != two || s.NSTTL != 48*time.Hour || s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
	if o := at(t, v, ns1); o.Source != lookup.SourceBoth || len(v.Servers) != 4 {
		t.Errorf("a retained server that is listed again: %#v, servers %v", o, names(v))
	}
	v = w.client().NewPass(map[string]lookup.Zone{"example.org": {Exclude: []string{"left.other.org"}}}).Owner(t.Context(), mx, retained)
	if want := []lookup.Server{retained.Server}; len(v.Servers) != 3 || !cmp.Equal(fmt.Sprint(v.Excluded), fmt.Sprint(want)) || len(v.Findings) > 0 {
		t.Errorf("servers %v, excluded %v, findings %v: an excluded one is not asked, retained or not", names(v), v.Excluded, v.Findings)
	}
	w.servers[left].mangle = reply(dns.RcodeRefused)
	if s := at(t, w.look(mx, retained), left); s.Fault != lookup.FaultLame || s.NSTTL != 48*time.Hour {
		t.Errorf("%#v", s)
	}
}

func TestRetainedServerWithoutARoute(t *testing.T) {
	w := newWorld(t)
	four, six := addrPort("203.0.113.200"), addrPort("2001:db8::200")
	w.servers[four] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.servers[six] = &authServer{mangle: fails(syscall.ENETUNREACH)}
	left := func(a netip.AddrPort) lookup.Retained {
		return lookup.Retained{Server: lookup.Server{Name: "left.other.org.", Address: a}}
	}
	if s := at(t, w.look(mx, left(six), left(four)), six); !s.FamilyUntested || s.JudgedBy != four {
		t.Errorf("%#v", s)
	}
}

func TestRetainedServerOfAZoneThatCannotBeFound(t *testing.T) {
	w := newWorld(t)
	w.resolver.override = func(q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, dns.RcodeRefused) }
	v := w.look(mx, lookup.Retained{Server: lookup.Server{Name: "left.other.org.", Address: addrPort("203.0.113.200")}, NSTTL: time.Hour})
	if s := v.Servers[0]; s.Err == "" || s.Err != v.Err || s.NSTTL != time.Hour || len(v.Servers) != 1 {
		t.Errorf("error %q, servers %#v", v.Err, v.Servers)
	}
}

func TestRetainedServerOfAnOldAliasTarget(t *testing.T) {
	w := newWorld(t)
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n")
	v := w.look(mx, lookup.Retained{Server: lookup.Server{Name: "ns.other.org", Address: otherAddr}, Zone: "other.org.", Asked: "tlsa.other.org."})
	if s := at(t, v, otherAddr); s.Err != "" || records(s.RRset) != two || s.Asked != "tlsa.other.org." || s.Zone != "other.org." {
		t.Errorf("%#v", s)
	}
}

// TestRetainedServerOfAnAlias: it is asked about the alias, in the zone that holds it.
func TestRetainedServerOfAnAlias(t *testing.T) {
	w := newWorld(t)
	w.alias("tlsa.other.org.", 600)
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n")
	left := addrPort("203.0.113.200")
	w.servers[left] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	retained := lookup.Retained{Server: lookup.Server{Name: "left.other.org.", Address: left}, NSTTL: time.Hour, Asked: mx}
	if s := at(t, w.look(mx, retained), left); s.Err != "" || !s.Alias || s.Leads != "tlsa.other.org." || s.Zone != "example.org." || !s.Signed() {
		t.Errorf("%#v", s)
	}
	v := w.client().NewPass(map[string]lookup.Zone{"example.org": {Exclude: []string{"left.other.org"}}}).Owner(t.Context(), mx, retained)
	if len(v.Servers) != 4 {
		t.Errorf("servers %v: one that its zone excludes is not asked", names(v))
	}
}

func TestExcludedServerThatThereIsNot(t *testing.T) {
	w := newWorld(t)
	v := w.lookWith(mx, map[string]lookup.Zone{"example.org": {Exclude: []string{"ns9.example.net"}}})
	if got, want := text(t, v, lookup.FindingExcludeUnused), "zone example.org.: ns9.example.net is excluded but no server of it is called so"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestZoneValidate(t *testing.T) {
	good := lookup.Zone{
		Hidden:  []string{"192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53", "2001:db8::1", "ns1.example.org", "ns1.example.org:5353"},
		Exclude: []string{"192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:5353", "2001:db8::1", "ns9.example.net."},
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := lookup.Zone{Hidden: []string{"a b", "ns1:0"}, Exclude: []string{"ns1.example.org:5353", "x..y"}}
	want := `hidden server "a b": neither an address nor a host name
hidden server "ns1:0": port "0" is not a number from 1 to 65535
excluded server "ns1.example.org:5353": neither an address, with or without port, nor a host name
excluded server "x..y": neither an address, with or without port, nor a host name`
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
