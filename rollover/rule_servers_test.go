package rollover

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.12: which servers count, and for how long.

func (w *world) ledger() Ledger { return w.state.Owners[owner25(w.t)] }

func (w *world) counts(s *server) bool {
	return slices.ContainsFunc(w.ledger().Servers, func(t Server) bool { return t.Address == s.address })
}

func TestServerTakenOutOfTheDelegationCounts(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	old := w.server("ns3.example.net.", 0)
	old.nsTTL, old.stuck = 10*time.Minute, true
	w.run(5 * time.Minute)
	w.unlist(old) // resolvers that have the old NS records ask it, and get the old answer
	second := w.renew(issuer)
	took := w.until(30*time.Minute, w.swapped(second))
	// Until no cache names it, then until what it gave last is gone.
	w.took("the swap", took, 10*time.Minute+ipub, 50*time.Second)
	if w.counts(old) {
		t.Error("it is still in the set")
	}
}

func TestServerThatIsBackInTheDelegationIsAskedAgain(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	old := w.server("ns3.example.net.", 0)
	old.nsTTL = 10 * time.Minute
	w.run(time.Minute)
	old.off = w.now
	w.run(time.Minute)
	old.off = time.Time{}
	w.run(time.Minute)
	second := w.renew(issuer)
	w.until(2*time.Minute, w.swapped(second))
	if !w.counts(old) {
		t.Error("it is not in the set")
	}
}

func TestNewServerCountsAsHavingGivenEverything(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(60 * time.Second)
	late := w.server("ns3.example.net.", 0) // has the new zone from the start; but what did it have before?
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, ipub, 25*time.Second)
	if !w.counts(late) {
		t.Error("it is not in the set")
	}
}

func TestExcludedServerIsNotAskedAndWhatItGaveCounts(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.servers[1].stuck = true
	second := w.renew(issuer)
	w.run(5 * time.Minute)
	w.careless = true // the operator's word: it is nobody's server any more
	w.policy.Excluded[w.servers[1].address] = true
	w.stop(w.servers[1])
	took := w.until(10*time.Minute, w.swapped(second))
	w.took("the swap", took, ipub-2*time.Second, 5*time.Second)
}

func TestAddressFamilyWithoutRouteIsJudgedByItsSisters(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	six := w.server(w.servers[1].name, 5*time.Second)
	six.address = "2001:db8::54"
	w.run(time.Minute) // seen, and giving the old answer
	six.view = func(v *ServerView) { v.Untested = true }
	second := w.renew(issuer)
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub, 3*time.Second)
	if !w.warns(CodeFamilyUntested) {
		t.Error("nobody was told")
	}
}

func TestUntestedAddressThatIsSeenAgainMayHaveGivenAnything(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	six := w.server(w.servers[1].name, 5*time.Second)
	six.view = func(v *ServerView) { v.Untested = true }
	w.run(time.Minute)
	second := w.renew(issuer)
	w.run(60 * time.Second)
	six.view = nil
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, ipub, 25*time.Second)
}

// DESIGN 4.16: how soon.

func TestConvergenceIsNoticedWithinTwoPercentOfTheTTL(t *testing.T) {
	for _, ttl := range []time.Duration{20 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		t.Run(ttl.String(), func(t *testing.T) {
			w, issuer, _ := rolled(t, "ee")
			w.policy.Timing.Look, w.policy.Timing.Poll = 15*time.Minute, time.Minute
			w.policy.Timing.TTLs, w.policy.Timing.Floor = 2, 2*time.Second
			w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = ttl; return s })
			w.run(3 * time.Hour)
			w.servers[1].lag = 97 * time.Second
			second := w.renew(issuer)
			took := w.until(4*time.Hour, w.swapped(second))
			// A look of a quarter of a second, the lag, what noticing may cost, the interval, a second.
			noticed := max(time.Second, ttl/50)
			w.took("the swap", took, 97*time.Second+2*ttl, noticed+1250*time.Millisecond)
		})
	}
}

func TestLooksAreRareAtRestAndWhileTheWaitLasts(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.policy.Timing.Look, w.policy.Timing.Poll = 15*time.Minute, time.Minute
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 4 * time.Hour; return s })
	w.run(10 * time.Hour)
	looks := func(d time.Duration) int {
		n, last := 0, w.ledger().Looked
		w.wait(d, func() bool {
			if l := w.ledger().Looked; l.After(last) {
				n, last = n+1, l
			}
			return false
		})
		return n
	}
	if n := looks(2 * time.Hour); n > 9 {
		t.Errorf("%d looks in two hours at rest", n)
	}
	w.renew(issuer)
	w.run(10 * time.Minute)
	if n := looks(2 * time.Hour); n > 9 {
		t.Errorf("%d looks in two hours of waiting\n%s", n, w.story())
	}
}

func TestUnreachableEndpointIsNotProbedForEver(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.policy.Timing.Look = 15 * time.Minute
	other := &node{served: w.live(), unseen: true, remote: true}
	w.hosts["mx1"].nodes["192.0.2.2:25"] = other
	second := w.renew(issuer)
	w.until(30*time.Minute, w.swapped(second))
	w.run(time.Hour)
	n, last := 0, w.lineage().Looked.Served
	w.wait(2*time.Hour, func() bool {
		if l := w.lineage().Looked.Served; l.After(last) {
			n, last = n+1, l
		}
		return false
	})
	if n < 4 || n > 20 {
		t.Errorf("%d looks at endpoints in two hours\n%s", n, w.story())
	}
}

// Servers that were all out of sight at once: stale answers may have lived on.
func TestDarknessStartsTheLastTTLAgain(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(time.Minute, func() bool { return w.lineage().Phase == Published })
	w.policy.Timing.Floor = 10 * time.Minute // the rest of the wait is longer than a TTL
	w.run(8 * time.Minute)
	for _, s := range w.servers {
		s.hidden = true
	}
	w.run(5 * time.Minute)
	for _, s := range w.servers {
		s.hidden = false
	}
	w.policy.Timing.Floor = 10 * time.Second
	w.run(2 * time.Second)
	l := w.ledger()
	if until := l.lit(); until.Before(w.now.Add(50 * time.Second)) {
		t.Errorf("lit at %s\n%s", until.Sub(epoch), w.story())
	}
	if took := w.until(5*time.Minute, w.swapped(second)); took < 50*time.Second {
		t.Errorf("swapped %s after the servers came back\n%s", took, w.story())
	}
}

func TestDarknessDoesNotMatterWhereNothingChanges(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	key := w.newKey()
	w.until(10*time.Minute, w.done(func() tlsa.ChainID { id := w.issue(issuer, leaf{key: key}); w.offer(id); return id }()))
	for _, s := range w.servers {
		s.hidden = true
	}
	w.run(5 * time.Minute)
	for _, s := range w.servers {
		s.hidden = false
	}
	w.run(time.Second)
	again := w.issue(issuer, leaf{key: key})
	w.offer(again)
	w.took("a renewal with the same key", w.until(time.Minute, w.swapped(again)), 0, 30*time.Second)
}
