package agent

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestGrouped(t *testing.T) {
	lineage := func(name string, hosts ...string) Lineage {
		l := Lineage{Name: name}
		for _, h := range hosts {
			l.Policy.Endpoints = append(l.Policy.Endpoints, rollover.Endpoint{Owner: owner25(h)})
		}
		return l
	}
	for _, test := range []struct {
		name     string
		lineages []Lineage
		want     [][]string
	}{
		{"none", nil, nil},
		{"apart", []Lineage{lineage("a", "x"), lineage("b", "y")}, [][]string{{"a"}, {"b"}}},
		{"one name", []Lineage{lineage("a", "x"), lineage("b", "x")}, [][]string{{"a", "b"}}},
		{"one name of several", []Lineage{lineage("a", "x", "y"), lineage("b", "z", "y")}, [][]string{{"a", "b"}}},
		{"by a third", []Lineage{lineage("a", "x"), lineage("b", "y"), lineage("c", "y", "x")}, [][]string{{"a", "b", "c"}}},
		{"by a third, in between", []Lineage{lineage("a", "x"), lineage("c", "y", "x"), lineage("b", "y"), lineage("d", "z")}, [][]string{{"a", "b", "c"}, {"d"}}},
		{"chain", []Lineage{lineage("a", "1", "2"), lineage("b", "3", "4"), lineage("c", "5", "6"), lineage("d", "2", "3"), lineage("e", "4", "5")}, [][]string{{"a", "b", "c", "d", "e"}}},
	} {
		var got [][]string
		for _, g := range grouped(test.lineages) {
			var names []string
			for _, l := range g {
				names = append(names, l.Name)
			}
			slices.Sort(names)
			got = append(got, names)
		}
		slices.SortFunc(got, slices.Compare)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestSiblings: a host with an RSA and an ECDSA certificate is two lineages with
// one endpoint. They are planned together; neither takes out the other's records.
func TestSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		rsa := w.lineage("rsa", "203.0.113.1")
		rsa.Policy.Endpoints = w.config.Lineages[0].Policy.Endpoints
		delete(w.services, "203.0.113.1:25")
		server := w.services["192.0.2.25:25"]
		server.more = w.paths["rsa"]
		one, two := w.ca.issue(t, mx1), w.ca.issueRSA(t, mx1)
		w.serve("rsa", two)
		w.serve("mx1", one)
		w.zone.Remove(owner25("rsa.example.org"))
		w.publish(owner25(mx1), record(t, two))
		a := w.open()
		defer w.close(a)
		if len(a.groups) != 1 {
			t.Fatalf("%d groups", len(a.groups))
		}
		w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx1", one)(r) && isSteady("rsa", two)(r) })
		time.Sleep(5 * time.Minute)
		newer, newest := w.ca.issue(t, mx1), w.ca.issueRSA(t, mx1)
		w.stage("mx1", newer)
		w.stage("rsa", newest)
		w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx1", newer)(r) && isSteady("rsa", newest)(r) })
		want := tlsa.NewRRset(0, record(t, newer), record(t, newest)).Associations
		if got := w.stands(owner25(mx1)); !slices.Equal(got, want) {
			t.Errorf("the zone holds %v, want %v", got, want)
		}
	})
}

// TestAliasesOfOneName: two lineages whose owner names turn out to be aliases of
// one name share its RRset. They become one group, in this process and the next.
func TestAliasesOfOneName(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const common = tlsa.Owner("tlsa.example.org.")
		pairs := map[string]string{}
		w.lineage("mx1")
		w.lineage("mx2", "192.0.2.26")
		w.lineage("mx3", "192.0.2.27")
		shared := w.ca.issue(t, mx1, "mx2.example.org")
		w.serve("mx1", shared)
		w.serve("mx2", shared)
		third := w.ca.issue(t, "mx3.example.org")
		w.serve("mx3", third)
		for _, host := range []string{mx1, "mx2.example.org"} {
			w.zone.Alias(owner25(host), common, recordTTL)
		}
		w.zone.Set(common, tlsa.NewRRset(recordTTL, record(t, shared)))
		w.zone.Transfer("ns2")
		a := w.open()
		if len(a.groups) != 3 {
			t.Fatalf("%d groups at first", len(a.groups))
		}
		// the host names are in one certificate: the other's owner name is no unlisted one
		w.goOn(a, time.Hour, func(r Report) bool {
			for name, l := range r.State.Lineages {
				pairs[name] = string(l.Live)
			}
			return pairs["mx1"] != "" && pairs["mx2"] != "" && pairs["mx3"] != "" && len(r.Lineages) == 2
		})
		if len(a.groups) != 2 || a.of["mx1"] != a.of["mx2"] || a.of["mx1"] == a.of["mx3"] {
			t.Fatalf("%d groups", len(a.groups))
		}
		if w.log.count("lineages share records") != 1 {
			t.Errorf("nobody was told: %s", w.log)
		}
		time.Sleep(5 * time.Minute)

		// one is renewed: the other still serves what the shared record vouches for
		next := w.ca.issue(t, mx1)
		w.stage("mx1", next)
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == next.ID() && !r.Changed })
		time.Sleep(10 * time.Minute)
		w.goOn(a, time.Hour, func(r Report) bool { return len(r.Lineages) == 2 && !r.Changed })
		want := tlsa.NewRRset(0, record(t, shared), record(t, next)).Associations
		if got := w.stands(common); !slices.Equal(got, want) {
			t.Errorf("the zone holds %v, want %v", got, want)
		}
		w.close(a)
		a = w.open()
		defer w.close(a)
		if len(a.groups) != 2 || a.of["mx1"] != a.of["mx2"] {
			t.Errorf("%d groups after a restart", len(a.groups))
		}
		if s, _, _ := a.State("mx2"); s.Lineages["mx1"].Live != next.ID() || s.Lineages["mx2"].Live != shared.ID() {
			t.Errorf("known after a restart: %v", s.Lineages)
		}
		next2 := w.ca.issue(t, "mx2.example.org")
		w.stage("mx2", next2)
		w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx2", next2)(r) })
		want = tlsa.NewRRset(0, record(t, next), record(t, next2)).Associations
		if got := w.stands(common); !slices.Equal(got, want) {
			t.Errorf("in the end the zone holds %v, want %v", got, want)
		}
	})
}

// TestOfferWhileJoining: what is handed in finds its lineage wherever it is.
func TestOfferWhileJoining(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const common = tlsa.Owner("tlsa.example.org.")
		w.lineage("mx1")
		w.lineage("mx2", "192.0.2.26")
		for i, host := range []string{mx1, "mx2.example.org"} {
			w.serve([]string{"mx1", "mx2"}[i], w.ca.issue(t, host))
			w.zone.Alias(owner25(host), common, recordTTL)
		}
		a := w.open()
		defer w.close(a)
		next := w.ca.issue(t, "mx2.example.org")
		if _, err := a.Offer("mx2", next); err != nil {
			t.Fatal(err)
		}
		mustPass(t, a, "mx1")
		mustPass(t, a, "mx2")
		if len(a.groups) != 1 {
			t.Fatalf("%d groups", len(a.groups))
		}
		s, _, err := a.State("mx2")
		if err != nil || s.Lineages["mx2"].Successor != next.ID() && s.Lineages["mx2"].Queued != next.ID() {
			t.Errorf("%+v, %v", s.Lineages["mx2"], err)
		}
	})
}

// TestAliasWhoseServersAreOutOfSight: while no server can be asked an alias looks like
// none, and a provider that can be reached is not asked for records beside it.
func TestAliasWhoseServersAreOutOfSight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const target = tlsa.Owner("tlsa.example.org.")
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.zone.Alias(owner25(mx1), target, recordTTL)
		w.zone.Set(target, tlsa.NewRRset(recordTTL, record(t, first)))
		w.zone.Transfer("ns2")
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		w.mu.Lock()
		w.slow[ns1At], w.slow[ns2At] = time.Hour, time.Hour
		w.mu.Unlock()
		w.stage("mx1", second)
		w.goOn(a, 5*time.Minute, func(Report) bool { return len(w.stands(target)) == 2 })
		w.mu.Lock()
		clear(w.slow)
		w.mu.Unlock()
		w.goOn(a, time.Hour, isSteady("mx1", second))
	})
}

// TestHostIsAnAlias: the fully expanded name of an MX host is asked for first; it
// belongs to whoever has an endpoint there.
func TestHostIsAnAlias(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.dns.secure = true
		w.lineage("mail", "192.0.2.26")
		w.lineage("mx1")
		delete(w.dns.hosts, "mail.example.org.")
		w.dns.aliases["mail.example.org."] = mx1 + "."
		w.serve("mx1", w.ca.issue(t, mx1))
		w.serve("mail", w.ca.issue(t, "mail.example.org"))
		a := w.open()
		defer w.close(a)
		r := mustPass(t, a, "mail")
		if len(r.Lineages) != 2 || !slices.Equal(r.Policy.Lineages["mail"].Endpoints[0].Also, []tlsa.Owner{owner25(mx1)}) {
			t.Errorf("lineages %v, also %v", r.Lineages, r.Policy.Lineages["mail"].Endpoints[0].Also)
		}
		if len(w.config.Lineages[0].Policy.Endpoints[0].Also) > 0 {
			t.Error("the configuration was changed")
		}
	})
}

// TestUnion: of what two groups kept of one name, an open question is no history.
func TestUnion(t *testing.T) {
	const name = tlsa.Owner("_25._tcp.mail.example.org.")
	known, open := rollover.Ledger{Since: time.Unix(9, 0), Ours: []tlsa.Association{{Data: "aa"}}}, rollover.Ledger{Err: "timeout"}
	older := rollover.Ledger{Since: time.Unix(1, 0)}
	for _, test := range []struct {
		name string
		s, t rollover.Ledger
		want rollover.Ledger
	}{
		{"a question of the second", known, open, known},
		{"a question of the first", open, known, known},
		{"both known", known, older, older},
	} {
		got := union(rollover.State{Owners: map[tlsa.Owner]rollover.Ledger{name: test.s}}, rollover.State{Owners: map[tlsa.Owner]rollover.Ledger{name: test.t}})
		if diff := cmp.Diff(test.want, got.Owners[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
