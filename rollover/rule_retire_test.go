package rollover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.8: what leaves, and when.

// twoNodes is a rolled world whose endpoint has a second address, on another
// machine.
func twoNodes(t *testing.T) (w *world, issuer *ca, other *node) {
	w, issuer, first := rolled(t, "ee")
	other = &node{served: first, remote: true}
	w.hosts["mx1"].nodes["192.0.2.2:25"] = other
	w.run(time.Minute)
	return w, issuer, other
}

func TestRetireWaitsForTheWindow(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.policy.Timing.Retire = 10 * time.Minute
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	if !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) {
		t.Fatal("retired at once")
	}
	w.run(5 * time.Second)
	if w.lineage().Phase != Retiring || !w.waits(CodeRetireWindow) {
		t.Errorf("phase %s, waiting for %v", w.lineage().Phase, w.lineage().Waiting)
	}
	w.took("retiring", 5*time.Second+w.until(20*time.Minute, w.steady), 10*time.Minute, 10*time.Second)
	w.stands(w.record(tlsa.EE, second))
}

func TestRetireWaitsForEveryAddress(t *testing.T) {
	for name, amiss := range map[string]func(n *node){
		"that still presents the old chain": func(n *node) { n.stuck = true },
		"that is out of sight":              func(n *node) { n.unseen = true },
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, other := twoNodes(t)
			first := w.live()
			amiss(other)
			second := w.renew(issuer)
			w.until(5*time.Minute, w.swapped(second))
			w.run(10 * time.Minute)
			if !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) {
				t.Fatalf("retired\n%s", w.story())
			}
			if w.lineage().Held != nil || w.live() != second {
				t.Errorf("an address elsewhere rolled the swap back\n%s", w.story())
			}
			other.unseen, other.stuck, other.served = false, false, second
			w.until(10*time.Minute, w.done(second))
		})
	}
}

func TestRetireIsOncePerWindowAfterTheLastSight(t *testing.T) {
	w, issuer, other := twoNodes(t)
	first := w.live()
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(20 * time.Second)
	other.served = first // an old worker turns up
	w.run(25 * time.Second)
	other.served = second
	if took := w.until(5*time.Minute, w.steady); took < 10*time.Second {
		t.Errorf("retired %s after the old chain was last seen\n%s", took, w.story())
	}
}

func TestRecordInsideTheWindowIsPublishedAgain(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.policy.Timing.Retire = 10 * time.Minute
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(10 * time.Second)
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.record(tlsa.EE, first)) })
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) })
}

// A chain that nobody's record ever matched, as that for clients without a
// name, does not keep records.
func TestOtherChainsDoNotBlock(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.careless = true
	w.node().bare = w.issue(nil, leaf{names: []string{"localhost"}})
	w.run(time.Minute)
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	w.stands(w.record(tlsa.EE, second))
}

// Another host's chain, which only a record of ours matches, does; and it is named.
func TestChainOfAnotherHostKeepsItsRecord(t *testing.T) {
	for window, more := range map[time.Duration]string{0: "", time.Hour: ", and for 1h00m more"} {
		w, issuer, other := twoNodes(t)
		w.policy.Timing.Retire = window
		first := w.live()
		other.stuck = true
		second := w.renew(issuer)
		w.until(5*time.Minute, w.swapped(second))
		w.run(20 * time.Minute)
		w.stands(w.record(tlsa.EE, first), w.record(tlsa.EE, second))
		want := "192.0.2.2:25 presents chain " + first.Short() + ": its records stay as long as it does" + more
		if rs := w.lineage().Waiting; len(rs) != 1 || rs[0].Code != CodeRetireWindow || rs[0].Text != want {
			t.Errorf("it waits for %v, want %q", rs, want)
		}
	}
}

func TestEmergencyRetiresAtOnce(t *testing.T) {
	w, issuer, first := rolled(t, "ee+standby")
	w.policy.Timing.Retire = 24 * time.Hour
	key := w.newKey()
	w.hosts["mx1"].standby = w.keyRecord(key)
	w.run(5 * time.Minute)
	other := w.renew(issuer) // on its way, and published
	w.run(30 * time.Second)
	second := w.issue(issuer, leaf{key: key})
	w.hosts["mx1"].standby = tlsa.Association{}
	w.hosts["mx1"].orders = Orders{Emergency: true}
	w.offerTo("mx1", second, true)
	w.took("the swap to the standby key", w.until(time.Minute, w.swapped(second)), 0, time.Second)
	if w.lineage().Successor == other {
		t.Errorf("what was on its way is not dropped\n%s", w.story())
	}
	w.until(time.Minute, func() bool { return !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) })
	w.run(time.Minute)
	w.stands(w.record(tlsa.EE, second))
	if !w.steady() || !w.lineage().Emergency.IsZero() || w.warns(CodeEmergency) {
		t.Errorf("the emergency is not over\n%s", w.story())
	}
}

// In an emergency any match is enough; else every combination must match.
func TestEmergencyNeedsAnyMatchOnly(t *testing.T) {
	for _, emergency := range []bool{false, true} {
		w, _, first := rolled(t, "ee")
		theirs := w.record(tlsa.TA, first)
		w.foreign[theirs] = true
		w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
		w.run(2 * time.Minute)
		w.weak = true
		third := w.issue(w.ca("Issuer B", nil), leaf{})
		w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(tlsa.EE, third)) })
		w.run(5 * time.Minute)
		w.hosts["mx1"].orders = Orders{Emergency: emergency}
		w.offerTo("mx1", third, true)
		w.run(3 * time.Minute)
		if got := w.live() == third; got != emergency {
			t.Errorf("emergency %t: swapped %t\n%s", emergency, got, w.story())
		}
	}
}

// The last record stays: without it DANE would be off.
func TestLastRecordStays(t *testing.T) {
	w, _, first := rolled(t, "ee")
	w.scheme("ta")
	w.careless = true
	w.security = Secure
	w.node().bare = w.issue(nil, leaf{}) // keeps 2 1 1 from coming in
	w.run(10 * time.Minute)
	w.stands(w.record(tlsa.EE, first))
	if !w.waits(CodeStillNeeded) {
		t.Errorf("does not say why\n%s", w.story())
	}
}

func TestFreezeKeepsRecords(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.freeze(time.Time{})
	w.run(10 * time.Minute)
	if !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) || !w.waits(CodeFrozen) {
		t.Errorf("retired in a freeze\n%s", w.story())
	}
	// Publishing and repair go on.
	w.careless = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.record(tlsa.EE, second)) })
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, second)) })
	w.thaw()
	w.until(time.Minute, w.steady)
}

// A freeze is heard also where one before it has ended and no pass was made since.
func TestFreezeAfterFreeze(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.freeze(w.now.Add(time.Minute))
	w.run(10 * time.Second)
	w.now = w.now.Add(time.Hour) // without a daemon
	w.freeze(time.Time{})
	second := w.renew(issuer)
	w.run(10 * time.Minute)
	if w.state.Lineages["mx1"].Live == second || !w.waits(CodeFrozen) {
		t.Errorf("swapped in a freeze\n%s", w.story())
	}
}

func TestRestoredBackupIsCleanedUp(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	w.run(time.Hour)
	w.careless = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first)) })
	w.until(10*time.Minute, func() bool {
		return w.zone[owner25(t)].rrset.Same(tlsa.NewRRset(0, w.record(tlsa.EE, second)))
	})
}

// Where the RRset fails what is presented, the match comes at once, with a warning.
func TestRepair(t *testing.T) {
	w, _, first := rolled(t, "ee")
	w.careless = true
	w.node().unseen = true // no evidence for a new combination
	w.run(10 * time.Minute)
	w.node().unseen = false
	theirs := tlsa.Association{Params: tlsa.TA, Data: w.keyRecord(w.newKey()).Data}
	w.foreign[theirs] = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, theirs) })
	w.everywhere()
	told := false
	w.until(time.Minute, func() bool {
		told = told || w.warns(CodeRepair)
		return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first))
	})
	if !told && !w.warns(CodeRepair) {
		t.Errorf("nobody was told\n%s", w.story())
	}
}

// A server that reads the ACME client's files presents a pair before its time.
func TestServerReadsStaged(t *testing.T) {
	for hint, files := range map[string][]string{
		"(hint: let it read /etc/postfix/mx1.pem, /etc/dovecot/mx1)":  {"/etc/postfix/mx1.pem", "/etc/dovecot/mx1"},
		"(hint: let it read the live or install path of lineage mx1)": nil,
	} {
		w, issuer, _ := rolled(t, "ee")
		w.careless = true
		p := w.policy.Lineages["mx1"]
		p.Files = files
		w.policy.Lineages["mx1"] = p
		second := w.issue(issuer, leaf{})
		w.node().served = second
		w.offer(second)
		w.run(30 * time.Second)
		told := slices.ContainsFunc(w.lineage().Warnings, func(r Warning) bool {
			return r.Code == CodeServerReadsStaged && r.About == "192.0.2.1:25" && strings.HasSuffix(r.Text, hint)
		})
		if !told || !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, second)) {
			t.Errorf("not told, or not mended\n%s", w.story())
		}
	}
}

// The pairs of the stash leave with their records and the answers that held them.
func TestStashIsCleanedUp(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	third := w.renew(issuer)
	w.until(10*time.Minute, w.done(third))
	if _, kept := w.hosts["mx1"].stash[second]; !kept {
		t.Error("the previous pair is gone")
	}
	w.run(30 * time.Minute)
	if _, kept := w.hosts["mx1"].stash[first]; kept {
		t.Errorf("the pair before it is still there\n%s", w.story())
	}
	if len(w.state.Chains) > 3 {
		t.Errorf("%d chains are remembered", len(w.state.Chains))
	}
}
