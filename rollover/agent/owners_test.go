package agent

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestRetained(t *testing.T) {
	gone := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := rollover.Ledger{Servers: []rollover.Server{
		{Name: "ns1.", Address: "192.0.2.53:53"},
		{Name: "ns2.", Address: "198.51.100.53:53", NSTTL: time.Hour, Unlisted: gone},
		{Name: "ns2.", Address: "[2001:db8::53]:53 for _25._tcp.mx1.example.org.", NSTTL: time.Hour, Unlisted: gone},
		{Name: "ns9.", Address: "ns9. (no address)", Unlisted: gone},
	}}
	want := []lookup.Retained{
		{Server: lookup.Server{Name: "ns2.", Address: netip.MustParseAddrPort("198.51.100.53:53")}, NSTTL: time.Hour},
		{Server: lookup.Server{Name: "ns2.", Address: netip.MustParseAddrPort("[2001:db8::53]:53")}, NSTTL: time.Hour, Asked: owner25(mx1)},
	}
	if diff := cmp.Diff(want, retained(l), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExcludedIn(t *testing.T) {
	owner := owner25(mx1)
	views := map[tlsa.Owner]lookup.View{owner: {Excluded: []lookup.Server{{Name: "ns2.", Address: ns2At}, {Name: "ns9."}}}}
	s := rollover.State{Owners: map[tlsa.Owner]rollover.Ledger{owner: {Servers: []rollover.Server{
		{Address: ns1At.String()}, {Address: ns2At.String()}, {Address: ns2At.String() + rollover.ForName + string(owner)}}}}}
	want := map[string]bool{ns2At.String(): true, ns2At.String() + rollover.ForName + string(owner): true, "ns9. (no address)": true}
	if diff := cmp.Diff(want, excludedIn(views, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// exclude takes a server of example.org. out of consideration, from the next start on.
func (w *world) exclude(server string) {
	z := w.config.Zones["example.org."]
	z.Exclude = []string{server}
	w.config.Zones = map[string]Zone{"example.org.": z}
}

// TestExcludedServer: a server that is dead for good keeps a rollover waiting
// until it is excluded; that is taken up at the next start, and ends with it.
func TestExcludedServer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		w.zone.Down("ns2")
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		r := w.goOn(a, time.Hour, func(r Report) bool { return says(r, "mx1", rollover.CodeServerUnknown) != "" })
		if text := says(r, "mx1", rollover.CodeServerUnknown); !strings.HasPrefix(text, "ns2.example.org. (198.51.100.53:53)") {
			t.Errorf("it says %q", text)
		}
		time.Sleep(10 * time.Minute)
		w.goOn(a, time.Hour, func(r Report) bool { return !r.Changed })
		w.presentsStill(first.Chain.LeafID())
		w.close(a)
		w.exclude("198.51.100.53")
		a = w.open()
		defer w.close(a)
		r = w.goOn(a, time.Hour, isSteady("mx1", second))
		if !r.Policy.Excluded["198.51.100.53:53"] {
			t.Errorf("excluded are %v", r.Policy.Excluded)
		}
		if n := len(r.State.Owners[owner25(mx1)].Servers); n != 1 {
			t.Errorf("the ledger has %d servers", n)
		}
	})
}

// TestExcludedServerThatHasLeft: a server that is dead, and that no NS record names any more,
// holds a rollover up for as long as caches may name it, unless it is excluded.
func TestExcludedServerThatHasLeft(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		w.zone.Down("ns2")
		time.Sleep(5 * time.Minute)
		w.goOn(a, time.Hour, func(r Report) bool { return !r.Changed })
		w.dns.left = true
		r := w.goOn(a, time.Hour, func(r Report) bool {
			s := r.State.Owners[owner25(mx1)].Servers
			return len(s) == 2 && !s[1].Unlisted.IsZero()
		})
		if s := r.State.Owners[owner25(mx1)].Servers[1]; s.Missing.IsZero() {
			t.Errorf("it answers: %+v", s)
		}
		w.close(a)
		w.exclude("ns2.example.org.")
		a = w.open()
		defer w.close(a)
		if r := mustPass(t, a, "mx1"); len(r.State.Owners[owner25(mx1)].Servers) != 1 || !r.Policy.Excluded["198.51.100.53:53"] {
			t.Errorf("excluded %v, servers %v", r.Policy.Excluded, r.State.Owners[owner25(mx1)].Servers)
		}
	})
}

func TestAliases(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.dns.secure = true
		l := w.lineage("mail")
		e := l.Policy.Endpoints[0]
		addresses := w.dns.hosts["mail.example.org."]
		a := w.open()
		defer w.close(a)
		look := func(before []alias) ([]tlsa.Owner, []alias, string) {
			pass, _ := a.shared(a.looks.number)
			found, why := a.aliases(t.Context(), pass, e, before)
			var owners []tlsa.Owner
			for _, f := range found {
				owners = append(owners, f.owner)
			}
			return owners, found, why
		}
		expect := func(what string, got []tlsa.Owner, why string, want ...tlsa.Owner) {
			t.Helper()
			if !slices.Equal(got, want) || why != "" {
				t.Errorf("%s: %v (%s), want %v", what, got, why, want)
			}
		}
		owners, found, why := look(nil)
		expect("no alias", owners, why)
		if found == nil {
			t.Error("that there is no alias is not known")
		}

		delete(w.dns.hosts, "mail.example.org.")
		w.dns.hosts["one.example.org."], w.dns.aliases["mail.example.org."] = addresses, "one.example.org."
		owners, one, why := look(found)
		expect("an alias", owners, why, owner25("one.example.org"))
		time.Sleep(10 * time.Second)
		w.dns.hosts["two.example.org."], w.dns.aliases["mail.example.org."] = addresses, "two.example.org."
		owners, both, why := look(one)
		expect("turned", owners, why, owner25("two.example.org"), owner25("one.example.org"))

		w.dns.resolver = func(q dns.Question) string {
			if q.Qtype == dns.TypeA || q.Qtype == dns.TypeAAAA {
				return "servfail"
			}
			return ""
		}
		owners, _, why = look(both)
		if len(owners) != 2 || !strings.HasPrefix(why, "whether mail.example.org is an alias is not known: resolver 127.0.0.1:53") {
			t.Errorf("the resolver is in trouble: %v, %q", owners, why)
		}
		w.dns.resolver = nil
		time.Sleep(ipub - 10*time.Second) // aliases of hosts live for a minute here
		owners, _, why = look(both)
		expect("no cache leads to the old one", owners, why, owner25("two.example.org"))

		longer := a.clock.now().Add(time.Hour)
		if _, found, _ := look([]alias{{owner25("two.example.org"), longer}}); !found[0].until.Equal(longer) {
			t.Errorf("its TTL was lowered: reckoned with until %s, and a cache may lead there until %s", found[0].until, longer)
		}

		w.dns.secure = false
		time.Sleep(ipub)
		owners, _, why = look(nil)
		expect("an insecure alias", owners, why)
	})
}

// TestAliasUnknownAtStart: until it is known whether the host is an alias, it is
// not known who asks where.
func TestAliasUnknownAtStart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		w.close(a)
		w.dns.resolver = func(q dns.Question) string {
			if q.Name == mx1+"." {
				return "servfail"
			}
			return ""
		}
		a = w.open()
		defer w.close(a)
		w.stage("mx1", w.ca.issue(t, mx1))
		r := mustPass(t, a, "mx1")
		if text := says(r, "mx1", rollover.CodeServersUnknown); !strings.Contains(text, "whether mx1.example.org is an alias is not known") {
			t.Errorf("it says %q; %s", text, w.story(r))
		}
	})
}

func TestProviderFor(t *testing.T) {
	owner := owner25(mx1)
	policy := rollover.Policy{Lineages: map[string]rollover.LineagePolicy{"mx1": {Endpoints: []rollover.Endpoint{{URL: "smtp://" + mx1, Owner: owner}}}}}
	for _, test := range []struct {
		name      string
		providers []Provider
		named     string
		zone      string
		want      string
	}{
		{"the zone's", []Provider{{Name: "other", Zone: "example.net."}, {Name: "ours", Zone: "example.org."}}, "", "example.org.", "ours"},
		{"none", []Provider{{Name: "other", Zone: "example.net."}}, "", "example.org.", ""},
		{"no zone was found", []Provider{{Name: "any"}}, "", "", ""},
		{"whatever nobody else does", []Provider{{Name: "any"}, {Name: "other", Zone: "example.net."}}, "", "example.org.", "any"},
		{"the zone's before any", []Provider{{Name: "any"}, {Name: "ours", Zone: "example.org."}}, "", "example.org.", "ours"},
		{"the named one", []Provider{{Name: "ours", Zone: "example.org."}, {Name: "named"}}, "named", "example.org.", "named"},
		{"the named one cannot", []Provider{{Name: "ours", Zone: "example.org."}, {Name: "named", Zone: "example.net."}}, "named", "example.org.", "ours"},
		{"a zone above is another zone", []Provider{{Name: "above", Zone: "org."}}, "", "example.org.", ""},
	} {
		a := &Agent{cfg: Config{Providers: test.providers}, lineages: map[string]Lineage{"mx1": {Providers: map[string]string{"smtp://" + mx1: test.named}}}}
		got := ""
		if p := a.providerFor(policy, owner, test.zone); p != nil {
			got = p.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestNameServerNotFoundForAMoment: that a name server's address cannot be looked up holds
// nothing up that is made good within a minute, as with a server that is silent for so long.
func TestNameServerNotFoundForAMoment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		r := w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Phase == rollover.Published })
		due, failed := r.State.Lineages["mx1"].ReadyAt, time.Now()
		w.dns.resolver = func(q dns.Question) string {
			if q.Name == "ns2.example.org." && time.Since(failed) < 40*time.Second {
				return "servfail"
			}
			return ""
		}
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
		if late := time.Since(due); late > time.Second {
			t.Errorf("swapped %s after it was due", late)
		}
		if w.questions("127.0.0.1 ns2.example.org. A") == 0 || len(r.State.Owners[owner25(mx1)].Servers) != 2 {
			t.Errorf("servers %v", r.State.Owners[owner25(mx1)].Servers)
		}
	})
}
