package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeRollback: right after a swap the previous pair is back at once, as its record
// stands still. When that is retired, the way back is a rollover like any other.
func TestLifeRollback(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{retire: "6s"})
	next := l.renew()
	l.swapsInTime(30*time.Second, next)
	l.verified(next)
	asked := time.Now()
	l.must(exitDone, "rollback", "mx1", "--wait")
	l.inTime("wanted back", asked, l.switched())
	l.verified(l.Live)
	l.settled(l.Live) // and the pair in lego's files does not come again

	l.must(exitWaiting, "rollback", "mx1")
	l.published(next)
	l.swapsInTime(30*time.Second, next)
	l.settled(next)
	l.unharmed(l.hammer, 40)
}

// verified waits until a pair is live and seen to be served.
func (l *life) verified(p *lab.Pair) {
	l.t.Helper()
	l.eventually(10*time.Second, "verified", func(s rollover.LineageStatus) bool { return isLive(p)(s) && s.Swapping == nil })
}

// TestLifeCancelInTheMiddleOfAWait: the record leaves again, the same files do not come
// again, and the next renewal does.
func TestLifeCancelInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	dropped := l.renew()
	ready := *l.published(dropped).Successor.ReadyAt
	l.must(exitDone, "cancel", "mx1")
	l.settled(l.Live)
	l.eventually(20*time.Second, "long past its time", func(s rollover.LineageStatus) bool {
		if s.Successor != nil || !isLive(l.Live)(s) {
			t.Fatalf("what was cancelled comes again:\n%s", s.Explain(time.Now()))
		}
		return time.Since(ready) > lifeTTL
	})
	next := l.renew()
	l.swapsInTime(30*time.Second, next)
	l.settled(next)
	if n := l.hammer.Counts().MatchedBy[dropped.TLSA(t, tlsa.EE)]; n > 0 {
		t.Errorf("what was cancelled was served %d times", n)
	}
	l.unharmed(l.hammer, 40)
}

// TestLifeFreezeAroundReadiness: the swap comes with the thaw, or when the freeze ends by
// itself, and neither a moment before nor a second after.
func TestLifeFreezeAroundReadiness(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	first := l.renew()
	ready := *l.published(first).Successor.ReadyAt
	l.must(exitDone, "freeze", "mx1")
	l.eventually(20*time.Second, "frozen past its time", func(s rollover.LineageStatus) bool {
		if isLive(first)(s) || !says(rollover.CodeFrozen, "tlsaroll thaw mx1")(s) {
			t.Fatalf("swapped, or nothing is said of the freeze:\n%s", s.Explain(time.Now()))
		}
		return time.Since(ready) > lifeTTL
	})
	thawed := time.Now()
	l.must(exitDone, "thaw", "mx1")
	l.eventually(5*time.Second, "swapped", isLive(first))
	l.inTime("thawed", thawed, l.switched())
	l.settled(first)

	second := l.renew()
	until := l.published(second).Successor.ReadyAt.Add(3 * time.Second).Truncate(time.Second)
	l.must(exitDone, "freeze", "mx1", "--until", until.UTC().Format(time.RFC3339))
	l.eventually(20*time.Second, "swapped", isLive(second))
	l.inTime("free", until, l.switched())
	l.settled(second)
	l.unharmed(l.hammer, 40)
}

// TestLifeWithdraw: the records go, and the server keeps its certificate until no cache can
// hold one. Nobody is refused at any time; who insists on records finds none, until
// rollover publishes again.
func TestLifeWithdraw(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	owner := lab.Owner(25)
	live := l.Live.TLSA(t, tlsa.EE)

	// Someone else's record would stay alone, and refuse what is served.
	for _, args := range [][]string{{"withdraw", "mx1"}, {"withdraw", "mx1", "--wait"}} {
		out, _ := l.must(exitPerson, args...)
		if s := l.state(); !strings.Contains(out.String(), string(rollover.CodeForeignCombo)) || !says(rollover.CodeForeignCombo, owner, someoneElses[:len("3 1 1 001122334455")])(s) {
			t.Errorf("%v does not say whose record is in the way:\n%s", args, s.Explain(time.Now()))
		}
	}
	l.only(owner, live, someoneElses)
	begun := time.Now()
	l.Update(t, lab.Remove(record(lifeTTL, someoneElses)))

	next := l.renew() // a new pair comes all the same
	gone := l.nowhere()
	out, _ := l.must(exitDone, "withdraw", "mx1", "--wait")
	said := time.Now()
	if !strings.Contains(out.String(), string(rollover.CodeWithdrawn)) {
		t.Errorf("does not say that it is over:\n%s", out)
	}
	l.eventually(10*time.Second, "swapped", isLive(next))
	t.Logf("records gone at %s, said to be over at %s, swapped at %s", clock(gone), clock(said), clock(l.switched()))
	// It may have been seen that they are gone up to two polls of ours before.
	if least := gone.Add(lifeIpub - 100*time.Millisecond); said.Before(least) || l.switched().Before(least) {
		t.Errorf("said to be over, or swapped, before %s", clock(least))
	}
	l.only(owner)
	out, _ = l.must(exitDone, "withdraw", "mx1", "--wait")
	l.asRecipe("DANE is off", out.String())

	l.must(exitDone, "rollover", "mx1", "--wait")
	l.only(owner, next.TLSA(t, tlsa.EE))
	over := l.everywhere(next).Add(lifeTTL + time.Second)
	l.Update(t, lab.Add(record(lifeTTL, someoneElses)))
	l.settled(next)
	if err := l.hammer.Until(t.Context(), func(c lab.Counts) bool { return c.Since(over).Total >= 20 }); err != nil {
		t.Error(err)
	}
	counts := l.hammer.Stop()
	t.Log(counts)
	if n := counts.Between(begun, over).ByOutcome[lab.NoRecords]; n == 0 || n != counts.Failed {
		t.Errorf("%d handshakes found no records while there were none, and %d failed in all", n, counts.Failed)
	}
}
