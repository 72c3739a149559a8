package rollover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.8: what leaves, and when.

func TestRetireWaitsForTheWindow(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Policy.Timing.Retire = 10 * time.Minute
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
		t.Fatal("retired at once")
	}
	w.Run(5 * time.Second)
	if w.Lineage().Phase != rollover.Retiring || !w.Waits(rollover.CodeRetireWindow) {
		t.Errorf("phase %s, waiting for %v", w.Lineage().Phase, w.Lineage().Waiting)
	}
	w.Took("retiring", 5*time.Second+w.Until(20*time.Minute, w.Steady), 10*time.Minute, 10*time.Second)
	w.Stands(w.Record(tlsa.EE, second))
}

func TestRetireWaitsForEveryAddress(t *testing.T) {
	for name, amiss := range map[string]func(n *sim.Node){
		"that still presents the old chain": func(n *sim.Node) { n.Stuck = true },
		"that is out of sight":              func(n *sim.Node) { n.Unseen = true },
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, other := sim.TwoNodes(t)
			first := w.Live()
			amiss(other)
			second := w.Renew(issuer)
			w.Until(5*time.Minute, w.Swapped(second))
			w.Run(10 * time.Minute)
			if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
				t.Fatalf("retired\n%s", w.Story())
			}
			if w.Lineage().Held != nil || w.Live() != second {
				t.Errorf("an address elsewhere rolled the swap back\n%s", w.Story())
			}
			other.Unseen, other.Stuck, other.Served = false, false, second
			w.Until(10*time.Minute, w.Done(second))
		})
	}
}

// One look may meet one worker of many that still has the old chain, or not.
func TestRetireNeedsThreeLooks(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Policy.Timing.Retire = 0
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	took := w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Took("retiring", took, 4*time.Second, 3*time.Second)
}

// Resolvers know an address for its TTL after DNS shows it no more.
func TestAddressThatLeftDNSCountsForItsTTL(t *testing.T) {
	w, issuer, other := sim.TwoNodes(t)
	first := w.Live()
	other.Unseen, other.Stuck = true, true
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(2 * time.Minute) // the window is over
	other.Gone = true
	w.Run(time.Minute + time.Second)
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
		t.Errorf("retired while caches led to an address with the old chain\n%s", w.Story())
	}
	other.Served = "" // nobody comes any more
	w.Until(time.Minute, w.Steady)
}

func TestRetireIsOncePerWindowAfterTheLastSight(t *testing.T) {
	w, issuer, other := sim.TwoNodes(t)
	first := w.Live()
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(20 * time.Second)
	other.Served = first // an old worker turns up
	w.Run(25 * time.Second)
	other.Served = second
	if took := w.Until(5*time.Minute, w.Steady); took < 10*time.Second {
		t.Errorf("retired %s after the old chain was last seen\n%s", took, w.Story())
	}
}

func TestRecordInsideTheWindowIsPublishedAgain(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Policy.Timing.Retire = 10 * time.Minute
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(10 * time.Second)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.Record(tlsa.EE, first)) })
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
}

// A chain that nobody's record ever matched, as that for clients without a
// name, does not keep records.
func TestOtherChainsDoNotBlock(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Careless = true
	w.Node().Bare = w.Issue(nil, sim.Leaf{Names: []string{"localhost"}})
	w.Run(time.Minute)
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
}

// Another host's chain, which only a record of ours matches, does; and it is named.
func TestChainOfAnotherHostKeepsItsRecord(t *testing.T) {
	for window, more := range map[time.Duration]string{0: "", time.Hour: ", and for 1h00m more"} {
		w, issuer, other := sim.TwoNodes(t)
		w.Policy.Timing.Retire = window
		first := w.Live()
		other.Stuck = true
		second := w.Renew(issuer)
		w.Until(5*time.Minute, w.Swapped(second))
		w.Run(20 * time.Minute)
		w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
		want := "192.0.2.2:25 presents chain " + first.Short() + ": its records stay as long as it does" + more
		if rs := w.Lineage().Waiting; len(rs) != 1 || rs[0].Code != rollover.CodeRetireWindow || rs[0].Text != want || !rs[0].Until.IsZero() {
			t.Errorf("it waits for %v, want %q", rs, want)
		}
	}
}

func TestEmergencyRetiresAtOnce(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee+standby")
	w.Policy.Timing.Retire = 24 * time.Hour
	key := w.NewKey()
	w.Hosts["mx1"].Standby = w.KeyRecord(key)
	w.Run(5 * time.Minute)
	other := w.Renew(issuer) // on its way, and published
	w.Run(30 * time.Second)
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.Hosts["mx1"].Standby = tlsa.Association{}
	w.Hosts["mx1"].Orders = rollover.Orders{Emergency: true}
	w.OfferTo("mx1", second, true)
	w.Took("the swap to the standby key", w.Until(time.Minute, w.Swapped(second)), 0, time.Second)
	if w.Lineage().Successor == other {
		t.Errorf("what was on its way is not dropped\n%s", w.Story())
	}
	w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Run(time.Minute)
	w.Stands(w.Record(tlsa.EE, second))
	if !w.Steady() || !w.Lineage().Emergency.IsZero() || w.Warns(rollover.CodeEmergency) {
		t.Errorf("the emergency is not over\n%s", w.Story())
	}
}

// In an emergency any match is enough; else every combination must match.
func TestEmergencyNeedsAnyMatchOnly(t *testing.T) {
	for _, emergency := range []bool{false, true} {
		w, _, first := sim.Rolled(t, "ee")
		theirs := w.Record(tlsa.TA, first)
		w.Foreign[theirs] = true
		w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
		w.Run(2 * time.Minute)
		w.Weak = true
		third := w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
		w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, third)) })
		w.Run(5 * time.Minute)
		w.Hosts["mx1"].Orders = rollover.Orders{Emergency: emergency}
		w.OfferTo("mx1", third, true)
		w.Run(3 * time.Minute)
		if got := w.Live() == third; got != emergency {
			t.Errorf("emergency %t: swapped %t\n%s", emergency, got, w.Story())
		}
	}
}

// The last record stays: without it DANE would be off.
func TestLastRecordStays(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Scheme("ta")
	w.Careless = true
	w.Security = rollover.Secure
	w.Node().Bare = w.Issue(nil, sim.Leaf{}) // keeps 2 1 1 from coming in
	w.Run(10 * time.Minute)
	w.Stands(w.Record(tlsa.EE, first))
	if !w.Waits(rollover.CodeStillNeeded) {
		t.Errorf("does not say why\n%s", w.Story())
	}
}

func TestFreezeKeepsRecords(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Freeze(time.Time{})
	w.Run(10 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) || !w.Waits(rollover.CodeFrozen) {
		t.Errorf("retired in a freeze\n%s", w.Story())
	}
	// Publishing and repair go on.
	w.Careless = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.Record(tlsa.EE, second)) })
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	w.Thaw()
	w.Until(time.Minute, w.Steady)
}

// A freeze is heard also where one before it has ended and no pass was made since.
func TestFreezeAfterFreeze(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Freeze(w.Now.Add(time.Minute))
	w.Run(10 * time.Second)
	w.Now = w.Now.Add(time.Hour) // without a daemon
	w.Freeze(time.Time{})
	second := w.Renew(issuer)
	w.Run(10 * time.Minute)
	if w.State.Lineages["mx1"].Live == second || !w.Waits(rollover.CodeFrozen) {
		t.Errorf("swapped in a freeze\n%s", w.Story())
	}
}

func TestRestoredBackupIsCleanedUp(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	w.Run(time.Hour)
	w.Careless = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first)) })
	w.Until(10*time.Minute, func() bool {
		return w.Zone[sim.Owner25(t)].RRset.Same(tlsa.NewRRset(0, w.Record(tlsa.EE, second)))
	})
}

// Where the RRset fails what is presented, the match comes at once, with a warning.
func TestRepair(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Careless = true
	w.Node().Unseen = true // no evidence for a new combination
	w.Run(10 * time.Minute)
	w.Node().Unseen = false
	theirs := tlsa.Association{Params: tlsa.TA, Data: w.KeyRecord(w.NewKey()).Data}
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, theirs) })
	w.Everywhere()
	told := false
	w.Until(time.Minute, func() bool {
		told = told || w.Warns(rollover.CodeRepair)
		return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first))
	})
	if !told && !w.Warns(rollover.CodeRepair) {
		t.Errorf("nobody was told\n%s", w.Story())
	}
}

// Nor does it wait for an address that is out of sight: what refuses the one that is
// seen cannot be made worse.
func TestRepairDoesNotWaitForEvidence(t *testing.T) {
	w, _, other := sim.TwoNodes(t)
	first := w.Live()
	w.Careless, other.Unseen = true, true
	w.Run(10 * time.Minute)
	theirs := tlsa.Association{Params: tlsa.TA, Data: w.KeyRecord(w.NewKey()).Data}
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, theirs) })
	w.Everywhere()
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Stands(w.Record(tlsa.EE, first), theirs)
}

// A server that reads the ACME client's files presents a pair before its time.
func TestServerReadsStaged(t *testing.T) {
	for hint, test := range map[string]struct {
		files   []string
		setting string
	}{
		"(hint: let it read /etc/postfix/mx1.pem, /etc/dovecot/mx1)":                                        {files: []string{"/etc/postfix/mx1.pem", "/etc/dovecot/mx1"}},
		"(hint: let it read /etc/postfix/mx1.pem; in Postfix smtpd_tls_chain_files = /etc/postfix/mx1.pem)": {[]string{"/etc/postfix/mx1.pem"}, "in Postfix smtpd_tls_chain_files = /etc/postfix/mx1.pem"},
		"(hint: let it read the live or install path of lineage mx1)":                                       {},
	} {
		w, issuer, _ := sim.Rolled(t, "ee")
		w.Careless = true
		p := w.Policy.Lineages["mx1"]
		p.Files = test.files
		p.Endpoints = slices.Clone(p.Endpoints)
		p.Endpoints[0].Setting = test.setting
		w.Policy.Lineages["mx1"] = p
		second := w.Issue(issuer, sim.Leaf{})
		w.Node().Served = second
		w.Offer(second)
		w.Run(30 * time.Second)
		told := slices.ContainsFunc(w.Lineage().Warnings, func(r rollover.Warning) bool {
			return r.Code == rollover.CodeServerReadsStaged && r.About == "192.0.2.1:25" && strings.HasSuffix(r.Text, hint)
		})
		if !told || !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) {
			t.Errorf("not told, or not mended\n%s", w.Story())
		}
	}
}

// The pairs of the stash leave with their records and the answers that held them.
func TestStashIsCleanedUp(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	third := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(third))
	if _, kept := w.Hosts["mx1"].Stash[second]; !kept {
		t.Error("the previous pair is gone")
	}
	w.Run(30 * time.Minute)
	if _, kept := w.Hosts["mx1"].Stash[first]; kept {
		t.Errorf("the pair before it is still there\n%s", w.Story())
	}
	if len(w.State.Chains) > 3 {
		t.Errorf("%d chains are remembered", len(w.State.Chains))
	}
}
