package rollover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.12: which servers count, and for how long.

func TestServerTakenOutOfTheDelegationCounts(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	old := w.Server("ns3.example.net.", 0)
	old.NSTTL, old.Stuck = 10*time.Minute, true
	w.Run(5 * time.Minute)
	w.Unlist(old) // resolvers that have the old NS records ask it, and get the old answer
	second := w.Renew(issuer)
	took := w.Until(30*time.Minute, w.Swapped(second))
	// Until no cache names it, then until what it gave last is gone.
	w.Took("the swap", took, 10*time.Minute+sim.Ipub, 50*time.Second)
	if w.Counts(old) {
		t.Error("it is still in the set")
	}
}

func TestServerThatIsBackInTheDelegationIsAskedAgain(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	old := w.Server("ns3.example.net.", 0)
	old.NSTTL = 10 * time.Minute
	w.Run(time.Minute)
	old.Off = w.Now
	w.Run(time.Minute)
	old.Off = time.Time{}
	w.Run(time.Minute)
	second := w.Renew(issuer)
	w.Until(2*time.Minute, w.Swapped(second))
	if !w.Counts(old) {
		t.Error("it is not in the set")
	}
}

func TestNewServerCountsAsHavingGivenEverything(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(60 * time.Second)
	late := w.Server("ns3.example.net.", 0) // has the new zone from the start; but what did it have before?
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, sim.Ipub, 25*time.Second)
	if !w.Counts(late) {
		t.Error("it is not in the set")
	}
}

func TestExcludedServerIsNotAskedAndWhatItGaveCounts(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Servers[1].Stuck = true
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	w.Careless = true // the operator's word: it is nobody's server any more
	w.Policy.Excluded[w.Servers[1].Address] = true
	w.Stop(w.Servers[1])
	took := w.Until(10*time.Minute, w.Swapped(second))
	w.Took("the swap", took, sim.Ipub-2*time.Second, 5*time.Second)
}

func TestAddressFamilyWithoutRouteIsJudgedByItsSisters(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	six := w.Server(w.Servers[1].Name, 5*time.Second)
	six.Address = "2001:db8::54"
	w.Run(time.Minute) // seen, and giving the old answer
	six.View = func(v *rollover.ServerView) { v.Untested = true }
	second := w.Renew(issuer)
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub, 3*time.Second)
	if !w.Warns(rollover.CodeFamilyUntested) {
		t.Error("nobody was told")
	}
}

// What a server gives for an alias says nothing of what its other address gives for the target.
func TestAliasDoesNotSpeakForItsTarget(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	four := w.Server("ns4.example.net.", 0)
	four.Address = "192.0.2.54:53 for _25._tcp.mx1.example.org."
	six := w.Server("ns4.example.net.", 5*time.Second)
	six.Address = "[2001:db8::54]:53"
	w.Run(time.Minute)
	six.View = func(v *rollover.ServerView) { v.Untested = true }
	second := w.Renew(issuer)
	w.Run(10 * time.Minute)
	if w.Swapped(second)() || !w.Waits(rollover.CodeFamilyUntested) {
		t.Errorf("swapped %t; it waits for %v", w.Swapped(second)(), w.Lineage().Waiting)
	}
}

// Two servers that the configuration names by their addresses are no two addresses of one.
func TestNobodySpeaksForAServerWithoutAName(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Server("", 0)
	six := w.Server("", 5*time.Second)
	six.Address = "2001:db8::54"
	w.Run(time.Minute)
	six.View = func(v *rollover.ServerView) { v.Untested = true }
	second := w.Renew(issuer)
	w.Run(10 * time.Minute)
	if w.Swapped(second)() {
		t.Error("swapped, and one server may give the old answer still")
	}
	if why := w.Lineage().Waiting; !slices.ContainsFunc(why, func(r rollover.Reason) bool {
		return r.Text == "hidden server 2001:db8::54: this host has no route to it, and no other address of it can be asked"
	}) {
		t.Errorf("it waits for %v", why)
	}
}

func TestUntestedAddressThatIsSeenAgainMayHaveGivenAnything(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	six := w.Server(w.Servers[1].Name, 5*time.Second)
	six.View = func(v *rollover.ServerView) { v.Untested = true }
	w.Run(time.Minute)
	second := w.Renew(issuer)
	w.Run(60 * time.Second)
	six.View = nil
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, sim.Ipub, 25*time.Second)
}

// DESIGN 4.16: how soon.

func TestConvergenceIsNoticedWithinTwoPercentOfTheTTL(t *testing.T) {
	for _, ttl := range []time.Duration{20 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		t.Run(ttl.String(), func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			w.Policy.Timing.Look, w.Policy.Timing.Poll = 15*time.Minute, time.Minute
			w.Policy.Timing.TTLs, w.Policy.Timing.Floor = 2, 2*time.Second
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = ttl; return s })
			w.Run(3 * time.Hour)
			w.Servers[1].Lag = 97 * time.Second
			second := w.Renew(issuer)
			took := w.Until(4*time.Hour, w.Swapped(second))
			// A look of a quarter of a second, the lag, what noticing may cost, the interval, a second.
			noticed := max(time.Second, ttl/50)
			w.Took("the swap", took, 97*time.Second+2*ttl, noticed+1250*time.Millisecond)
		})
	}
}

func TestLooksAreRareAtRestAndWhileTheWaitLasts(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Policy.Timing.Look, w.Policy.Timing.Poll = 15*time.Minute, time.Minute
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 4 * time.Hour; return s })
	w.Run(10 * time.Hour)
	looks := func(d time.Duration) int {
		n, last := 0, w.Ledger().Looked
		w.Wait(d, func() bool {
			if l := w.Ledger().Looked; l.After(last) {
				n, last = n+1, l
			}
			return false
		})
		return n
	}
	if n := looks(2 * time.Hour); n > 9 {
		t.Errorf("%d looks in two hours at rest", n)
	}
	w.Renew(issuer)
	w.Run(10 * time.Minute)
	if n := looks(2 * time.Hour); n > 9 {
		t.Errorf("%d looks in two hours of waiting\n%s", n, w.Story())
	}
}

func TestUnreachableEndpointIsNotProbedForEver(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Policy.Timing.Look = 15 * time.Minute
	other := &sim.Node{Served: w.Live(), Unseen: true, Remote: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	second := w.Renew(issuer)
	w.Until(30*time.Minute, w.Swapped(second))
	w.Run(time.Hour)
	n, last := 0, w.Lineage().Looked.Served
	w.Wait(2*time.Hour, func() bool {
		if l := w.Lineage().Looked.Served; l.After(last) {
			n, last = n+1, l
		}
		return false
	})
	if n < 4 || n > 20 {
		t.Errorf("%d looks at endpoints in two hours\n%s", n, w.Story())
	}
}

// Servers that were all out of sight at once: stale answers may have lived on.
func TestDarknessStartsTheLastTTLAgain(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return w.Lineage().Phase == rollover.Published })
	w.Policy.Timing.Floor = 10 * time.Minute // the rest of the wait is longer than a TTL
	w.Run(8 * time.Minute)
	for _, s := range w.Servers {
		s.Hidden = true
	}
	w.Run(5 * time.Minute)
	for _, s := range w.Servers {
		s.Hidden = false
	}
	w.Policy.Timing.Floor = 10 * time.Second
	w.Run(2 * time.Second)
	l := w.Ledger()
	if until := l.Lit(); until.Before(w.Now.Add(50 * time.Second)) {
		t.Errorf("lit at %s\n%s", until.Sub(sim.Epoch), w.Story())
	}
	if took := w.Until(5*time.Minute, w.Swapped(second)); took < 50*time.Second {
		t.Errorf("swapped %s after the servers came back\n%s", took, w.Story())
	}
}

func TestDarknessDoesNotMatterWhereNothingChanges(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	key := w.NewKey()
	w.Until(10*time.Minute, w.Done(func() tlsa.ChainID { id := w.Issue(issuer, sim.Leaf{Key: key}); w.Offer(id); return id }()))
	for _, s := range w.Servers {
		s.Hidden = true
	}
	w.Run(5 * time.Minute)
	for _, s := range w.Servers {
		s.Hidden = false
	}
	w.Run(time.Second)
	again := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(again)
	w.Took("a renewal with the same key", w.Until(time.Minute, w.Swapped(again)), 0, 30*time.Second)
}
