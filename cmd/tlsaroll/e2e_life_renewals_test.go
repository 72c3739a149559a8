package main

import (
	"context"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeThreeRenewalsInARow: lego leaves pair after pair, one of them from a new
// intermediate, and each is rolled as soon as the one before is live.
func TestLifeThreeRenewalsInARow(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}}, setting{scheme: "ee+ta"})
	var last *lab.Pair
	for i := range 3 {
		if i == 1 {
			l.Certificates().NewIntermediate(t)
		}
		begun := time.Now()
		last = l.renew()
		l.published(last)
		noted := l.notedPublished(begun)
		ready, _ := l.swapsInTime(20*time.Second, last)
		// What the last look saw is noted when its pass is over.
		if limit := noted.Add(lifeIpub); ready.After(limit) {
			t.Errorf("ready at %s, and published everywhere at %s at the latest: want %s at the latest", clock(ready), clock(noted), clock(limit))
		}
	}
	l.settled(last, tlsa.TA)
	l.unharmed(l.hammer, 40)
}

// notedPublished is when the log first told that a successor is on every server.
func (l *life) notedPublished(since time.Time) time.Time {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Second)
	defer cancel()
	line, err := l.daemon.Line(ctx, since, "phase=published ready_at=")
	if err != nil {
		l.t.Fatal(err)
	}
	return line.At
}

// TestLifeRenewalInTheMiddleOfAWait: a second renewal does not take the place of the one
// that waits, so that renewals faster than the wait starve nobody; a third takes that
// of the second.
func TestLifeRenewalInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	first := l.renew()
	wait := l.published(first)
	second := l.renew()
	queues := func(p *lab.Pair) func(rollover.LineageStatus) bool {
		return func(s rollover.LineageStatus) bool {
			return succeeds(first)(s) && s.Queued != nil && s.Queued.Leaf == leafID(p) && says(rollover.CodeQueued, s.Successor.ID.Short(), s.Queued.ID.Short())(s)
		}
	}
	l.eventually(5*time.Second, "queued", queues(second))
	third := l.renew()
	l.eventually(5*time.Second, "queued in its place", queues(third))
	ready, _ := l.swapsInTime(20*time.Second, first)
	if late := ready.Sub(*wait.Successor.ReadyAt); late > 0 {
		t.Errorf("the queued pairs put the first one off by %s", late)
	}
	l.eventually(5*time.Second, "the third to follow", func(s rollover.LineageStatus) bool {
		return succeeds(third)(s) && !says(rollover.CodeQueued)(s)
	})
	l.swapsInTime(20*time.Second, third)
	l.settled(third)
	counts := l.hammer.Counts()
	if n := counts.MatchedBy[second.TLSA(t, tlsa.EE)]; n > 0 {
		t.Errorf("the second pair was served %d times, and was to give its place to the third", n)
	}
	l.unharmed(l.hammer, 40)
}
