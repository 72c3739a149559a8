package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// clockHost is a host on which the daemon goes by a clock that can be set.
func clockHost(t *testing.T) (*host, *lab.Daemon) {
	t.Helper()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, Records: foreignRecord}, setting{})
	h.elsewhere(elsewhere{Synchronised: true})
	h.configure(setting{staged: staged(h.Lego())})
	d := h.run()
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil })
	logged(t, d)
	return h, d
}

// renewed has the ACME client leave a pair, and says when that is ready.
func (h *host) renewed() (next *lab.Pair, ready time.Time) {
	h.t.Helper()
	next = h.Certificates().Issue(h.t, lab.LeafOptions{})
	h.Lego().Renew(h.t, next)
	return next, *h.eventually(20*time.Second, "published", published(next)).Successor.ReadyAt
}

// TestLifeClockIsSetWhileItWaits: the daemon goes on by its own time, whatever the clock is
// set to. What is dated, as signatures are, is judged by the clock: one that is hours
// behind stops everything, and says so, until it is right.
func TestLifeClockIsSetWhileItWaits(t *testing.T) {
	t.Parallel()
	h, d := clockHost(t)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	right := elsewhere{Synchronised: true}
	for _, set := range []struct {
		to   elsewhere
		says []string                          // with clock-set
		held func(rollover.LineageStatus) bool // nil: it is not
	}{
		{elsewhere{Step: 5 * time.Hour, OthersToo: true}, []string{"5h0m0s ahead of"}, nil},
		{elsewhere{Step: -7 * time.Hour, OthersToo: true}, []string{"7h0m0s behind"}, says(rollover.CodeServerUnknown, h.Primary.String(), "signature not valid before", "clock")},
		{elsewhere{Step: 5 * time.Hour}, []string{"5h0m0s ahead of"}, says(rollover.CodeCopyUnknown, "BADTIME", "clock")},
	} {
		next, ready := h.renewed()
		h.elsewhere(set.to)
		h.eventuallyTold(10*time.Second, rollover.CodeClockSet, true, append(set.says, "restart tlsaroll")...)
		if s := h.state(); s.Successor == nil || !s.Successor.ReadyAt.Equal(ready) {
			t.Errorf("ready was %s before the clock was set by %s, and now:\n%s", ready, set.to.Step, s.Explain(time.Now()))
		}
		if set.held == nil {
			h.swapsInTime(time.Minute, next)
			h.elsewhere(right)
		} else {
			h.eventually(30*time.Second, "held up by the clock", func(s rollover.LineageStatus) bool {
				return set.held(s) && time.Now().After(ready.Add(time.Second))
			})
			h.elsewhere(right)
			h.swapsAfter(time.Now(), next)
		}
		h.eventuallyTold(10*time.Second, rollover.CodeClockSet, false)
		h.eventually(30*time.Second, "calm", calm(next))
		h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	}
	h.unharmed(hammer, 40)
	if log := d.String(); !strings.Contains(log, "the wall clock was set") || !strings.Contains(log, "the wall clock is right again") {
		t.Error("the log says nothing of the clock")
	}
}

// TestLifeClockIsSetAndDaemonStartsAgain: what passed meanwhile cannot be told by a clock
// that was set, so open waits start again if the kernel calls that clock right, and go
// on by the time since the boot if it does not. No wait gets shorter.
func TestLifeClockIsSetAndDaemonStartsAgain(t *testing.T) {
	t.Parallel()
	h, d := clockHost(t)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})

	// Forward, and called right: taken for the time, and the wait starts again.
	next, _ := h.renewed()
	h.elsewhere(elsewhere{Step: 5 * time.Hour, Synchronised: true, OthersToo: true})
	again := time.Now()
	d = h.restarted(d, syscall.SIGTERM)
	h.eventually(30*time.Second, "published again", published(next))
	h.swapsAfter(again.Add(lifeIpub), next)
	h.eventually(30*time.Second, "calm", calm(next))
	h.eventuallyTold(10*time.Second, rollover.CodeClockSet, false)

	// Back to what is right, in the middle of a wait, with a kill.
	next, _ = h.renewed()
	h.elsewhere(elsewhere{Synchronised: true})
	again = time.Now()
	d = h.restarted(d, syscall.SIGKILL)
	h.eventually(30*time.Second, "published again", published(next))
	h.swapsAfter(again.Add(lifeIpub), next)
	h.eventually(30*time.Second, "calm", calm(next))

	// Back, and not called right: the time since the boot counts.
	next, ready := h.renewed()
	h.elsewhere(elsewhere{Step: -45 * time.Minute, OthersToo: true})
	d = h.restarted(d, syscall.SIGKILL)
	h.eventuallyTold(10*time.Second, rollover.CodeClockSet, true, "45m0s behind")
	h.swapsAfter(ready, next)
	if late := h.switched().Sub(ready); late > time.Second+h.Late(ready) {
		t.Errorf("swapped %s late", late)
	}
	h.elsewhere(elsewhere{})
	h.eventually(30*time.Second, "calm", calm(next))
	h.eventuallyTold(10*time.Second, rollover.CodeClockSet, false)
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	logged(t, d)
}

// swapsAfter waits for a swap, and wants it not before a moment of the real clock, nor
// much later.
func (h *host) swapsAfter(soonest time.Time, next *lab.Pair) {
	h.t.Helper()
	h.eventually(time.Minute, "swapped", func(s rollover.LineageStatus) bool { return s.Live != nil && s.Live.Leaf == leafID(next) })
	at := h.switched()
	h.t.Logf("swapped %s after the soonest moment", at.Sub(soonest).Round(time.Millisecond))
	if at.Before(soonest) || at.Sub(soonest) > 10*time.Second+h.Late(soonest) {
		h.t.Errorf("swapped at %s, want from %s to 10s later", at, soonest)
	}
}
