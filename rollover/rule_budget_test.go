package rollover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.15: how many records.

func TestManyRecordsAreToldOf(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	w.Crowd(8)
	w.Run(time.Minute)
	if w.Warns(rollover.CodeRRsetLarge) {
		t.Error("9 records are told of")
	}
	w.Crowd(1)
	w.Run(time.Minute)
	if !w.Warns(rollover.CodeRRsetLarge) {
		t.Errorf("10 records are not told of\n%s", w.Story())
	}
}

func TestRetiredRecordsLeaveEarlyWhereRoomIsShort(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Policy.Timing.Retire = 24 * time.Hour
	w.Crowd(10)
	w.Run(2 * time.Minute)
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
		t.Fatal("left early without need")
	}
	third := w.Renew(issuer) // a thirteenth record
	w.Until(5*time.Minute, w.Swapped(third))
	if n := len(w.Zone[sim.Owner25(t)].RRset.Associations); n > rollover.MaxRecords {
		t.Errorf("%d records stand", n)
	}
}

func TestQueuedPairsAreLeftOutWhereRoomIsShort(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Crowd(10)
	w.Run(2 * time.Minute)
	second := w.Renew(issuer)
	w.Run(30 * time.Second)
	third := w.Renew(issuer)
	w.Run(5 * time.Second)
	full := slices.ContainsFunc(w.Lineage().Waiting, func(r rollover.Reason) bool {
		return r.Code == rollover.CodeQueued && strings.Contains(r.Text, "is full")
	})
	if w.Lineage().Queued != third || w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, third)) || !full {
		t.Errorf("queued %s\n%s", w.Lineage().Queued.Short(), w.Story())
	}
	w.Until(5*time.Minute, w.Swapped(second))
	w.Until(5*time.Minute, w.Swapped(third))
}

func TestOneSuccessorAtATimeWhereRoomIsShort(t *testing.T) {
	w := sim.NewWorld(t)
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Serving("rsa", w.Issue(issuer, sim.Leaf{}))
	w.Until(time.Minute, w.Steady)
	w.Crowd(9)
	w.Run(5 * time.Minute)
	b := w.Issue(issuer, sim.Leaf{})
	w.OfferTo("rsa", b, false)
	w.Run(time.Second)
	a := w.Renew(issuer)
	w.Run(10 * time.Second)
	stands := w.Zone[sim.Owner25(t)].RRset
	if !stands.Has(w.Record(tlsa.EE, b)) || stands.Has(w.Record(tlsa.EE, a)) || !w.Waits(rollover.CodeSiblingFirst) {
		t.Errorf("not the oldest alone\n%s", w.Story())
	}
	w.Until(10*time.Minute, func() bool { return w.Live() == a && w.State.Lineages["rsa"].Live == b })
}

func TestNoRoomAtAllNeedsAPerson(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Crowd(11)
	w.Run(2 * time.Minute)
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	if w.Live() != first || !w.Waits(rollover.CodeRRsetFull) || !w.Warns(rollover.CodeRRsetFull) || !rollover.CodeRRsetFull.NeedsPerson() {
		t.Fatalf("swapped, or nobody was told\n%s", w.Story())
	}
	var theirs tlsa.Association
	for theirs = range w.Foreign {
		break
	}
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(theirs) })
	w.Until(5*time.Minute, w.Swapped(second))
}

// Issuers published ahead are the first to leave where a successor lacks room, and no
// more of them than must; they come back when there is room again.
func TestIssuersAheadLeaveWhereRoomIsShort(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+ta")
	var ahead []tlsa.Association
	for _, name := range []string{"B", "C", "D", "E"} {
		ahead = append(ahead, w.IssuerRecord(w.CA("Issuer "+name, nil)))
	}
	w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = ahead })
	stands := func() tlsa.RRset { return w.Zone[sim.Owner25(t)].RRset }
	w.Until(time.Minute, func() bool { return len(stands().Missing(ahead...)) == 0 })
	w.Crowd(6) // twelve
	w.Run(5 * time.Minute)
	if n := len(stands().Associations); n != rollover.MaxRecords || len(stands().Missing(ahead...)) > 0 {
		t.Fatalf("%d records stand\n%s", n, w.Story())
	}
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	if gone := stands().Missing(ahead...); len(gone) != 1 || len(stands().Associations) > rollover.MaxRecords {
		t.Errorf("%v left, and one was to\n%s", gone, w.Story())
	}
	w.Until(5*time.Minute, func() bool { return len(stands().Missing(ahead...)) == 0 })
	w.Until(5*time.Minute, w.Steady)
}

// For issuers that have no room nothing else leaves, not even early.
func TestNothingLeavesForIssuersAhead(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee+ta")
	w.Policy.Timing.Retire = 24 * time.Hour
	w.Crowd(9)
	w.Run(2 * time.Minute)
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	ahead := w.IssuerRecord(w.CA("Issuer B", nil))
	w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = []tlsa.Association{ahead} })
	w.Run(10 * time.Minute)
	stands := w.Zone[sim.Owner25(t)].RRset
	if !stands.Has(w.Record(tlsa.EE, first)) || stands.Has(ahead) || w.Warns(rollover.CodeRRsetFull) {
		t.Errorf("the previous pair's record left, or a person is asked for room\n%s", w.Story())
	}
}

// Issuers that would leave no room are found before anything is published: those of all
// lineages at a name count once each, and so do two records of keys for each lineage.
func TestIssuersThatLeaveNoRoom(t *testing.T) {
	w := sim.NewWorld(t)
	var cas []tlsa.Association
	for i := range 12 {
		cas = append(cas, w.IssuerRecord(w.CA(fmt.Sprint("Issuer ", i), nil)))
	}
	at := func(scheme string, host string, issuers []tlsa.Association) rollover.LineagePolicy {
		s, err := rollover.ParseScheme(scheme)
		if err != nil {
			t.Fatal(err)
		}
		return rollover.LineagePolicy{Scheme: s, Issuers: issuers, Endpoints: []rollover.Endpoint{{Owner: sim.OwnerOf(t, 25, host)}, {Owner: sim.OwnerOf(t, 465, host)}}}
	}
	const mx1 = "mx1.example.org"
	long := strings.Repeat(strings.Repeat("a", 60)+".", 3) + "example.org"
	for _, tt := range []struct {
		name     string
		lineages map[string]rollover.LineagePolicy
		want     string // of the first
	}{
		{"just room", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:10])}, ""},
		{"no room", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:11])}, "_25._tcp.mx1.example.org. [mx1] 11 2 10"},
		{"ta alone has room for twelve", map[string]rollover.LineagePolicy{"mx1": at("ta", mx1, cas)}, ""},
		{"a standby key takes one", map[string]rollover.LineagePolicy{"mx1": at("ee+ta+standby", mx1, cas[:10])}, "_25._tcp.mx1.example.org. [mx1] 10 3 9"},
		{"the same at two lineages count once", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:8]), "rsa": at("ee+ta", mx1, cas[:8])}, ""},
		{"others do not", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:5]), "rsa": at("ee+ta", mx1, cas[5:9])}, "_25._tcp.mx1.example.org. [mx1 rsa] 9 4 8"},
		{"a sibling without any counts its keys", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:9]), "rsa": at("ee", mx1, nil)}, "_25._tcp.mx1.example.org. [mx1] 9 4 8"},
		{"another host does not count", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", mx1, cas[:9]), "mx2": at("ee+ta", "mx2.example.org", cas[:9])}, ""},
		{"a long name leaves less", map[string]rollover.LineagePolicy{"mx1": at("ee+ta", long, cas[:10])}, "_25._tcp." + long + ". [mx1] 10 2 7"},
		{"ee publishes none", map[string]rollover.LineagePolicy{"mx1": at("ee", mx1, cas)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if crowded := rollover.Crowded(tt.lineages); len(crowded) > 0 {
				c := crowded[0]
				got = fmt.Sprint(c.Owner, " ", c.Lineages, " ", c.Issuers, " ", c.Keys, " ", c.Room)
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Replies stay under 1232 octets, whatever the records are.
func TestReplySize(t *testing.T) {
	owner := sim.Owner25(t)
	for _, tt := range []struct {
		octets, records int
		fits            bool
	}{{32, 12, true}, {32, 13, false}, {64, 9, true}, {64, 12, false}, {600, 2, true}, {600, 3, false}} {
		t.Run(fmt.Sprintf("%d of %d octets", tt.records, tt.octets), func(t *testing.T) {
			var s tlsa.RRset
			for i := range tt.records {
				s = s.With(tlsa.Association{Params: tlsa.EE, Data: strings.Repeat(fmt.Sprintf("%02x", i), tt.octets)})
			}
			if octets, got := rollover.ReplySize(owner, s), rollover.Fits(owner, s); got != tt.fits {
				t.Errorf("fits: %t, want %t (%d octets)", got, tt.fits, octets)
			}
		})
	}
}

// A key published ahead spares a wait and no more: where a successor of another key lacks
// room, its record leaves, and comes back when there is room again.
func TestStandbyLeavesWhereASuccessorLacksRoom(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+standby")
	standby := w.KeyRecord(w.NewKey())
	w.Hosts["mx1"].Standby = standby
	stands := func() tlsa.RRset { return w.Zone[sim.Owner25(t)].RRset }
	w.Until(time.Minute, func() bool { return stands().Has(standby) })
	w.Crowd(10) // twelve
	w.Run(5 * time.Minute)
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	if n := len(stands().Associations); n > rollover.MaxRecords {
		t.Errorf("%d records stand", n)
	}
	w.Until(5*time.Minute, func() bool { return stands().Has(standby) })
	w.Until(5*time.Minute, w.Steady)
}

// Nothing makes room for a key published ahead but what is retired, nor does that for
// another one.
func TestStandbyKeysLeaveForNoOther(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee+standby")
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	w.Hosts["mx1"].Standby = w.KeyRecord(w.NewKey())
	w.Run(5 * time.Minute)
	w.Crowd(10)
	w.Run(5 * time.Minute)
	w.Hosts["rsa"].Standby = w.KeyRecord(w.NewKey())
	w.Run(5 * time.Minute)
	before := w.Zone[sim.Owner25(t)].RRset
	if !before.Has(w.Hosts["mx1"].Standby) || before.Has(w.Hosts["rsa"].Standby) || len(before.Associations) != rollover.MaxRecords {
		t.Errorf("there stand %v\n%s", before, w.Story())
	}
}
