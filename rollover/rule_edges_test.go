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

// Somebody lowers the TTL and adds the next record in one change: caches hold the old
// RRset for its old TTL all the same.
func TestTTLLoweredWithTheNewRecordShortensNothing(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 10 * time.Minute; return s })
	w.Run(20 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{})
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset {
		return tlsa.NewRRset(20*time.Second, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
	})
	w.Offer(second)
	took := w.Until(20*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+10*time.Minute+10*time.Second, 5*time.Second)
}

// An address behind which several machines answer gives the new RRset and the old one
// in turn: as long as it does, it gives the old one.
func TestServerThatFlipsIsNotBelieved(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	old := tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first))
	looks := 0
	w.Servers[1].View = func(v *rollover.ServerView) {
		if looks++; looks%3 == 0 {
			v.Answer = rollover.Seen(old)
		}
	}
	second := w.Renew(issuer)
	w.Run(15 * time.Minute)
	if w.Live() == second {
		t.Fatalf("swapped while a server gave the old RRset now and then\n%s", w.Story())
	}
	w.Servers[1].View = nil
	took := w.Until(5*time.Minute, w.Swapped(second))
	if took < sim.Ipub-30*time.Second { // a look may have been the last that gave it
		t.Errorf("swapped %s after it stopped\n%s", took, w.Story())
	}
}

// A renewal with the same key needs no wait where keys stand, and is a rollover where
// somebody's whole certificates do.
func TestSameKeyWhereWholeCertificatesStand(t *testing.T) {
	whole := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA256}
	w, issuer, _ := sim.Rolled(t, "ee")
	key := w.NewKey()
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(second)
	w.Until(10*time.Minute, w.Done(second))
	put := func(id tlsa.ChainID) {
		w.Foreign[w.Record(whole, id)] = true
		w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(whole, id)) })
	}
	put(second)
	w.Run(5 * time.Minute)
	third := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(third)
	w.Run(5 * time.Minute)
	if w.Live() == third || !w.Waits(rollover.CodeForeignCombo) {
		t.Fatalf("swapped past a 3 0 1 of the old certificate, or nobody was told\n%s", w.Story())
	}
	put(third)
	if took := w.Until(5*time.Minute, w.Swapped(third)); took < sim.Ipub {
		t.Errorf("swapped %s after its 3 0 1 was added\n%s", took, w.Story())
	}
}

// A new issuer under 2 1 1 alone: its record comes beside the old one's, which stays
// until nobody presents the old chain.
func TestNewIssuerComesBesideTheOldOne(t *testing.T) {
	w, _, first := sim.Rolled(t, "ta")
	second := w.Renew(w.CA("Issuer B", w.CA("Root B", nil)))
	old, next := w.Record(tlsa.TA, first), w.Record(tlsa.TA, second)
	together := false
	w.Until(10*time.Minute, func() bool {
		s := w.Zone[sim.Owner25(t)].RRset
		together = together || s.Has(old) && s.Has(next)
		if w.Live() == first && !s.Has(old) {
			t.Fatalf("the record of the live issuer is gone\n%s", w.Story())
		}
		return w.Done(second)()
	})
	if !together {
		t.Errorf("they never stood together\n%s", w.Story())
	}
	w.Stands(next)
}

// A root that the server does not send is no anchor for anybody: a pair without it is
// refused where the scheme asks for its record.
func TestRootThatIsNotInTheChainIsRefused(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Configure(func(p *rollover.LineagePolicy) { p.TA = rollover.Root })
	w.Scheme("ee+ta")
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	if w.Live() != first || !w.Waits(rollover.CodePairUnfit) || w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) {
		t.Errorf("%s is taken, or nobody was told\n%s", second.Short(), w.Story())
	}
}

// The same pair again changes nothing, and starts no wait anew.
func TestSamePairTwiceIsOne(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(40 * time.Second)
	ready := w.Lineage().ReadyAt
	for range 3 {
		w.Offer(second)
		w.Run(5 * time.Second)
		if l := w.Lineage(); l.Successor != second || l.Queued != "" || ready.IsZero() || !l.ReadyAt.Equal(ready) {
			t.Fatalf("successor %s, queued %q, ready at %s, was %s\n%s", l.Successor.Short(), l.Queued, l.ReadyAt, ready, w.Story())
		}
	}
	w.Until(10*time.Minute, w.Done(second))
	w.Offer(second)
	w.Run(10 * time.Minute)
	if w.Swaps != 1 {
		t.Errorf("%d swaps, want 1", w.Swaps)
	}
}

// An emergency without a standby key and without an issuer that vouches: nothing that is
// cached would match, so it waits as always and says until when.
func TestEmergencyWithoutAnythingThatMatchesWaits(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Order(rollover.Orders{Emergency: true})
	second := w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
	w.OfferTo("mx1", second, true)
	w.Run(20 * time.Second)
	l := w.Lineage()
	i := slices.IndexFunc(l.Waiting, func(r rollover.Reason) bool { return r.Code == rollover.CodeVersionAlive })
	if w.Live() != first || i < 0 || !l.Waiting[i].Until.Equal(l.ReadyAt) || l.ReadyAt.Before(w.Now) || l.ReadyAt.After(w.Now.Add(sim.Ipub)) {
		t.Fatalf("live %s, ready at %s, waiting for %v\n%s", l.Live.Short(), l.ReadyAt, l.Waiting, w.Story())
	}
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, sim.Ipub-15*time.Second, 3*time.Second)
	w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
}

// Somebody adds a stronger digest of the next key only: clients that go by the strongest
// digest refuse the live chain from then on. That is told at once; the record is not
// ours to take out.
func TestStrongerDigestOfTheNextKeyIsToldAtOnce(t *testing.T) {
	strong := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.SPKI, Matching: tlsa.SHA512}
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Careless = true
	trap := w.Record(strong, w.Issue(issuer, sim.Leaf{}))
	w.Foreign[trap] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(trap) })
	w.Until(time.Minute, func() bool { return w.Warns(rollover.CodeServedUnmatched) })
	if v, _ := w.Warned(rollover.CodeServedUnmatched); v.Severity != rollover.Danger {
		t.Errorf("told as %+v", v)
	}
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Has(trap) {
		t.Errorf("somebody else's record was taken out\n%s", w.Story())
	}
}

// Records that failed runs of something else have left: they are counted and told of,
// and only what is ours is ever taken out.
func TestDozensOfRecordsThatOthersLeft(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Crowd(24)
	w.Run(2 * time.Minute)
	if !w.Warns(rollover.CodeRRsetLarge) {
		t.Errorf("25 records are not told of\n%s", w.Story())
	}
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	if w.Live() != first || !w.Waits(rollover.CodeRRsetFull) {
		t.Fatalf("swapped, or nobody was told\n%s", w.Story())
	}
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { // a person cleans up
		for a := range w.Foreign {
			if len(s.Associations) > 4 {
				s = s.Without(a)
			}
		}
		return s
	})
	left := w.Zone[sim.Owner25(t)].RRset.Without(w.Record(tlsa.EE, first))
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(append(left.Associations, w.Record(tlsa.EE, second))...)
}

// Seen in other tools: a server that denied the name, or was in trouble, passed for one
// that had the record.
func TestDenialIsNoPropagation(t *testing.T) {
	for name, says := range map[string]rollover.Sight[tlsa.RRset]{
		"a denial":   rollover.Seen(tlsa.RRset{TTL: time.Minute}),
		"no answer":  rollover.Unseen[tlsa.RRset]("SERVFAIL"),
		"other data": rollover.Seen(tlsa.NewRRset(time.Minute, tlsa.Association{Params: tlsa.EE, Data: "00"})),
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			w.Servers[1].View = func(v *rollover.ServerView) { v.Answer = says }
			second := w.Renew(issuer)
			w.Run(20 * time.Minute)
			if l := w.Lineage(); l.Live == second || l.Phase != rollover.Generated {
				t.Fatalf("phase %s\n%s", l.Phase, w.Story())
			}
			w.Servers[1].View = nil
			w.Until(5*time.Minute, w.Swapped(second))
		})
	}
}

// A node that nobody could see for a while comes back with a pair whose record is
// retired: that is told at once, and mended by publishing it again.
func TestNodeThatReturnsWithARetiredPair(t *testing.T) {
	w, issuer, other := sim.TwoNodes(t)
	first := w.Live()
	other.Stuck = true
	delete(w.Hosts["mx1"].Nodes, "192.0.2.2:25") // no client comes there either
	w.Run(5 * time.Minute)
	second := w.Renew(issuer)
	w.Until(20*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
	w.Careless = true
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Until(2*time.Minute, func() bool { return w.Warns(rollover.CodeServedUnmatched) })
	if v, _ := w.Warned(rollover.CodeServedUnmatched); v.About != "192.0.2.2:25" {
		t.Errorf("told is %+v", v)
	}
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Until(time.Minute, func() bool { return !w.Warns(rollover.CodeServedUnmatched) })
	w.Run(time.Hour)
	w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
}

// Where the wait is longer than what is left of the live certificate, the answer that
// helps is a lower TTL, and it is given.
func TestConflictOffersALowerTTL(t *testing.T) {
	e, known := rollover.CodeExpiresInWait.Explain()
	if !known || !strings.Contains(e.Do, "Lower the TTL") || !strings.Contains(e.Do, "--ttl") {
		t.Errorf("to be done is %q", e.Do)
	}
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{Ends: w.Now.Add(6 * 24 * time.Hour)})) // as short-lived ones do
	w.Until(5*time.Minute, w.Steady)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 7 * 24 * time.Hour; return s })
	w.Run(time.Minute)
	w.Renew(issuer)
	w.Run(2 * time.Second)
	if v, told := w.Warned(rollover.CodeExpiresInWait); !told || v.Severity != rollover.Danger {
		t.Errorf("told is %+v\n%s", v, w.Story())
	}
}

// DESIGN 4.5: the record is everywhere now, not when somebody last looked.
func TestSwapNeedsALookInTheSamePass(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Careless = true
	second := w.Renew(issuer)
	w.Until(5*time.Minute, func() bool { return !w.Lineage().ReadyAt.IsZero() })
	w.Run(w.Lineage().ReadyAt.Sub(w.Now) - time.Second/2)
	w.Plan.LookDNS = w.Now.Add(time.Hour) // as if nothing were due but the swap
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.Record(tlsa.EE, second)) })
	w.Everywhere()
	w.Run(w.Policy.Timing.Poll + time.Second)
	if w.Live() != first {
		t.Errorf("swapped by what was seen before\n%s", w.Story())
	}
}

// Owner names that lead to one place share what is known of it: a TTL is wanted for the
// RRset, whichever name the lineage asks at.
func TestTTLOfAnRRsetThatAnotherNameLeadsTo(t *testing.T) {
	w, target, _ := aliased(t)
	w.Hosts["mx2"].Orders = rollover.Orders{TTL: 5 * time.Minute}
	w.Run(5 * time.Minute)
	if got := w.Zone[target].RRset.TTL; got != 5*time.Minute {
		t.Errorf("the TTL is %s\n%s", got, w.Story())
	}
}

// A name that came later knows as well which records are ours: else the predecessor's is
// a stranger's, and stands in the way of a withdrawal.
func TestNewNameKnowsWhatIsOurs(t *testing.T) {
	w := sim.NewWorld(t)
	target := tlsa.Owner("_dane.example.org.")
	submission := rollover.Endpoint{URL: "submission://" + sim.MX, Host: sim.MX, Port: 587, Owner: sim.OwnerOf(t, 587, sim.MX)}
	w.Target[sim.Owner25(t)], w.Target[submission.Owner] = target, target
	smtp := w.Policy.Lineages["mx1"].Endpoints
	w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = []rollover.Endpoint{submission} })
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Until(time.Minute, w.Steady)
	w.Run(5 * time.Minute)
	w.Policy.Timing.Retire = time.Hour
	w.Until(10*time.Minute, w.Swapped(w.Renew(issuer)))
	w.Run(time.Minute)
	w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = append(p.Endpoints, smtp...) })
	w.Run(time.Minute)
	w.Order(rollover.Orders{Withdraw: true})
	w.Run(time.Minute)
	if got := w.Zone[target].RRset; !got.Denial() || w.Waits(rollover.CodeForeignCombo) {
		t.Errorf("%v stands\n%s", got, w.Story())
	}
}

// On a new host the service that awaits its first pair may not run, so that its reload
// fails: once it presents the pair all is well, and nobody has to say so.
func TestFirstPairWhoseServiceIsStartedLater(t *testing.T) {
	w := sim.NewWorld(t)
	w.Faults["reload"] = "postfix is not running"
	first := w.Renew(w.CA("Issuer A", nil))
	w.Until(5*time.Minute, w.Swapped(first))
	w.Run(time.Minute)
	if !w.Waits(rollover.CodeBackBlocked) {
		t.Fatalf("nobody is told\n%s", w.Story())
	}
	w.Node().Served = first
	w.Until(time.Minute, w.Steady)
	if w.Waits(rollover.CodeBackBlocked) {
		t.Errorf("it has come right, and is not noticed\n%s", w.Story())
	}
}

// Caches may hold what stood at an alias's new target before: it has no history, and the
// old one's counts for nothing there.
func TestAliasThatMovesToAPlaceWithoutHistory(t *testing.T) {
	w := sim.NewWorld(t)
	before, after := tlsa.Owner("_one.example.org."), tlsa.Owner("_two.example.org.")
	w.Target[sim.Owner25(t)] = before
	issuer := w.CA("Issuer A", nil)
	first := w.Issue(issuer, sim.Leaf{})
	w.Serving("mx1", first)
	w.Edit(after, func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first)) })
	w.Everywhere()
	w.Until(time.Minute, w.Steady)
	w.Freeze(time.Time{})
	second := w.Renew(issuer)
	w.Run(10 * time.Minute)
	w.Edit(after, func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, second)) })
	w.Everywhere()
	w.Target[sim.Owner25(t)] = after
	w.Thaw()
	if took := w.Until(10*time.Minute, w.Swapped(second)); took < sim.Ipub {
		t.Errorf("swapped after %s\n%s", took, w.Story())
	}
}
