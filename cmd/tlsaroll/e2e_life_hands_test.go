package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// record is a line of a zone file with a record of the mail host's.
func record(ttl time.Duration, rdata string) string {
	return fmt.Sprintf("%s %d TLSA %s", lab.Owner(25), int(ttl/time.Second), rdata)
}

// retyped replaces the whole RRset, as who edits a zone file does that is his alone.
func (l *life) retyped(ttl time.Duration, rdata ...string) {
	l.t.Helper()
	changes := []lab.Change{lab.RemoveRRset(record(ttl, someoneElses))}
	for _, r := range append(rdata, someoneElses) {
		changes = append(changes, lab.Add(record(ttl, r)))
	}
	l.Update(l.t, changes...)
}

// TestLifeSuccessorsRecordIsTakenOutByHand: who takes it out in the middle of the wait costs
// nobody anything but time. It is published again, and the wait starts again.
func TestLifeSuccessorsRecordIsTakenOutByHand(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	next := l.renew()
	l.published(next)
	l.Update(t, lab.Remove(record(lifeTTL, next.TLSA(t, tlsa.EE))))
	taken := time.Now()
	l.repaired(next)
	ready, _ := l.swapsInTime(20*time.Second, next)
	if ready.Before(taken.Add(lifeIpub)) {
		t.Errorf("ready at %s, and the record was taken out at %s", clock(ready), clock(taken))
	}
	l.settled(next)
	l.unharmed(l.hammer, 40)
}

// TestLifeLiveRecordIsTakenOutByHand: who asks then cannot deliver. The record is put back at
// once, and nobody fails once the answers without it have run out.
func TestLifeLiveRecordIsTakenOutByHand(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	first := l.renew()
	l.swapsInTime(30*time.Second, first)
	l.settled(first)
	begun := time.Now()
	l.Update(t, lab.Remove(record(lifeTTL, first.TLSA(t, tlsa.EE))))
	over := l.mended(first)
	l.settled(first)
	second := l.renew() // and life goes on
	l.swapsInTime(30*time.Second, second)
	l.settled(second)
	l.harmed(begun, over)
}

// TestLifeTTLsAreChangedByHand: the wait is that of the TTLs that were served. It grows when
// somebody raises the TTL in a zone file that lacks the successor's record; once caches
// have a lower one it is shorter.
func TestLifeTTLsAreChangedByHand(t *testing.T) {
	t.Parallel()
	const raised = lifeTTL + 3*time.Second
	l := newLife(t, lab.Options{}, setting{})
	first := l.renew()
	wait := l.published(first)
	l.retyped(raised, l.Live.TLSA(t, tlsa.EE))
	retyped := time.Now()
	l.repaired(first)
	l.waitsFor(first, raised)
	ready, _ := l.swapsInTime(30*time.Second, first)
	if least := retyped.Add(raised + labFloor); ready.Before(least) {
		t.Errorf("ready at %s, and the TTL was raised to %s: want %s at least, as at first it was %s", clock(ready), raised, clock(least), clock(*wait.Successor.ReadyAt))
	}
	l.settled(first)

	l.retyped(lifeTTL, first.TLSA(t, tlsa.EE))
	lowered := time.Now()
	second := l.renew()
	l.waitsFor(second, raised) // some cache has an answer from a moment ago
	ready, _ = l.swapsInTime(30*time.Second, second)
	if least := lowered.Add(raised + labFloor); ready.Before(least) {
		t.Errorf("ready at %s, and the TTL was lowered at %s only", clock(ready), clock(lowered))
	}
	l.settled(second)

	third := l.renew()
	shown := l.everywhere(third)
	l.waitsFor(third, lifeTTL)
	ready, _ = l.swapsInTime(30*time.Second, third)
	if most := shown.Add(lifeIpub + 2*time.Second); ready.After(most) {
		t.Errorf("ready at %s, and on every server at %s: want %s at most", clock(ready), clock(shown), clock(most))
	}
	l.settled(third)
	l.unharmed(l.hammer, 40)
}

// waitsFor waits until it says that the wait for a successor is that of a TTL.
func (l *life) waitsFor(p *lab.Pair, ttl time.Duration) {
	l.t.Helper()
	l.eventually(10*time.Second, "waiting for a TTL of "+ttl.String(), func(s rollover.LineageStatus) bool {
		return succeeds(p)(s) && says(rollover.CodeVersionAlive, lab.Owner(25), "(ttl "+ttl.String()+")")(s)
	})
}
