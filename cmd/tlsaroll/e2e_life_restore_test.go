package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestLifeOldZoneIsRestoredInTheMiddleOfAWait: the successor's record is gone with it. It is
// published again, the wait starts again, and nobody fails.
func TestLifeOldZoneIsRestoredInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	old := l.SnapshotZone(t, lab.Domain)
	next := l.renew()
	l.published(next)
	l.RestoreZone(t, old)
	restored := time.Now()
	l.repaired(next)
	ready, _ := l.swapsInTime(20*time.Second, next)
	if ready.Before(restored.Add(lifeIpub)) {
		t.Errorf("ready at %s, and the old zone was restored at %s", clock(ready), clock(restored))
	}
	l.settled(next)
	l.unharmed(l.hammer, 40)
}

// TestLifeOldZoneIsRestoredAfterTheSwap: the record of the pair before is there, and that of
// the live one is not. Nobody sees to it for a while, as the daemon is stopped, too: who
// asks then cannot deliver. When it goes on it mends that at once, retires the old record
// once more, and nobody fails when the answers from meanwhile have run out.
func TestLifeOldZoneIsRestoredAfterTheSwap(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	old := l.SnapshotZone(t, lab.Domain)
	next := l.renew()
	l.swapsInTime(30*time.Second, next)
	l.settled(next)

	begun := time.Now()
	l.daemon.Signal(t, syscall.SIGSTOP)
	l.RestoreZone(t, old)
	l.ReleaseSecondary(t)
	asked := len(l.Resolvers)
	if err := l.hammer.Until(t.Context(), func(c lab.Counts) bool { return len(c.Since(begun).Only(failed).PerResolver) == asked }); err != nil {
		t.Fatal(err)
	}
	l.daemon.Signal(t, syscall.SIGCONT)
	over := l.mended(next)
	l.settled(next)
	if n := l.harmed(begun, over); n == 0 {
		t.Error("nobody failed, so that nothing is shown")
	}
}

func failed(h lab.Handshake) bool { return h.Outcome != lab.Verified }

// TestLifeBackupLeavesTheSecondaryAhead: after the primary's disk was restored its serial is
// behind the secondary's, which takes nothing over. A renewal waits and says for which
// server, until somebody has it take the zone over.
func TestLifeBackupLeavesTheSecondaryAhead(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	backup := l.SnapshotZone(t, lab.Domain)
	for range 3 { // edits of other things
		l.Update(t, lab.Add("note."+lab.Domain+` 5 TXT "new"`))
		l.Update(t, lab.RemoveRRset("note."+lab.Domain+` 5 TXT "new"`))
	}
	l.ReleaseSecondary(t)
	l.RestoreFiles(t, backup)

	next := l.renew()
	waits := func(s rollover.LineageStatus) bool {
		return succeeds(next)(s) && says(rollover.CodeNotEverywhere, "ns2.example.org.", l.Secondary.String())(s)
	}
	l.eventually(15*time.Second, "in wait of the secondary", func(s rollover.LineageStatus) bool {
		return waits(s) && !says(rollover.CodeNotEverywhere, "ns1.example.org.")(s)
	})
	begun := time.Now()
	l.eventually(20*time.Second, "waiting for two TTLs", func(s rollover.LineageStatus) bool {
		if !waits(s) {
			t.Fatalf("swapped, or does not say what it waits for:\n%s", s.Explain(time.Now()))
		}
		return time.Since(begun) > 2*lifeTTL
	})
	l.ForceTransfer(t, lab.Domain)
	l.swapsInTime(20*time.Second, next)
	l.settled(next)
	l.unharmed(l.hammer, 40)
}
