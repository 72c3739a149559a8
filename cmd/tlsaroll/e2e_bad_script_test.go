package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestSwapFirstScript is [TestRolloverUnderLoad] with what many do instead: renew,
// reload, and let the deploy hook change the record. The same senders behind the
// same caches fail by the hundred, so they would have noticed.
func TestSwapFirstScript(t *testing.T) {
	t.Parallel()
	const lag = 9 * time.Second
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: lag, Resolvers: 8}, setting{})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 12})
	if err := hammer.Until(t.Context(), func(c lab.Counts) bool { return len(c.PerResolver) == 8 }); err != nil {
		t.Fatal(err)
	}
	if c := hammer.Counts(); c.Failed > 0 {
		t.Fatalf("before the swap: %s", c)
	}

	h.Postfix.Install(t, next)
	h.Postfix.RunReload(t)
	swapped := time.Now()
	h.Update(t, lab.RemoveRRset(lab.Owner(25)+" TLSA "+h.Live.TLSA(t, tlsa.EE)), lab.Add(lab.Owner(25)+" 10 TLSA "+next.TLSA(t, tlsa.EE)))

	over := swapped.Add(lag + labTTL + 3*time.Second) // then every cache has been filled anew
	if err := hammer.Until(t.Context(), func(lab.Counts) bool { return time.Now().After(over) }); err != nil {
		t.Fatal(err)
	}
	c := hammer.Stop()
	t.Log(c)
	// How many there are depends on how busy the machine is, which part of them fails does not.
	if c.Failed < 50 || c.Failed < c.Total/8 || c.ByOutcome[lab.Unverified] != c.Failed {
		t.Errorf("%d of %d handshakes failed, want an eighth at least, and all of them for want of a match: %v", c.Failed, c.Total, c.ByOutcome)
	}
	if last := c.LastFailure.Sub(swapped); last < labTTL/2 || last > over.Sub(swapped) {
		t.Errorf("the last failure was %s after the swap", last)
	}
	for i := range h.Resolvers {
		if f := h.Finger(i, lab.Host, 25); f.Outcome != lab.Verified {
			t.Errorf("resolver %d at the end: %s\n%s", i, f.Outcome, f.Output)
		}
	}
}
