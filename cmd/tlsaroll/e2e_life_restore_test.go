package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// TestOldZoneIsRestoredInTheMiddleOfAWait: the successor's record is gone with it. It is
// published again, the wait starts again, and nobody fails.
func TestOldZoneIsRestoredInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	old := l.SnapshotZone(t, lab.Domain)
	next := l.renew()
	l.published(next)
	l.RestoreZone(t, old)
	restored := time.Now()
	l.repaired(next)
	ready, _ := l.swapped(20*time.Second, next)
	if ready.Before(restored.Add(lifeIpub)) {
		t.Errorf("ready at %s, and the old zone was restored at %s", clock(ready), clock(restored))
	}
	l.settled(next)
	l.unharmed(l.hammer, 100)
}

// TestOldZoneIsRestoredAfterTheSwap: the record of the pair before is there, and that of
// the live one is not. Nobody sees to it for a while, as the daemon is stopped, too: who
// asks then cannot deliver. When it goes on it mends that at once, retires the old record
// once more, and nobody fails when the answers from meanwhile have run out.
func TestOldZoneIsRestoredAfterTheSwap(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{})
	old := l.SnapshotZone(t, lab.Domain)
	next := l.renew()
	l.swapped(30*time.Second, next)
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
