package lab

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The proof that the harness can fail: a script that swaps first and publishes
// then, as many do, against caches of 10 s and a secondary that is late.
func TestSwapFirstFails(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("LEFT OUT with -short: the swap-first script that must fail")
	}
	l := Start(t, Options{Resolvers: 8, SecondaryLag: 2 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := l.Certificates().Issue(t, LeafOptions{})
	before, after := l.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE)

	h := l.Hammer(ctx, HammerOptions{})
	defer h.Stop()
	if err := h.Until(ctx, func(c Counts) bool { return len(c.PerResolver) == 8 }); err != nil {
		t.Fatal(err)
	}
	if c := h.Counts(); c.Failed > 0 {
		t.Errorf("before the swap: %s", c)
	}
	l.Postfix.Install(t, next)
	swapped := time.Now()
	l.Postfix.RunReload(t)
	l.Update(t, RemoveRRset(Owner(25)+" TLSA "+before), Add(Owner(25)+" 10 TLSA "+after))
	// Until every cache has been filled anew.
	if err := h.Until(ctx, func(Counts) bool { return time.Since(swapped) > 14*time.Second }); err != nil {
		t.Fatal(err)
	}
	c := h.Stop()
	t.Log(c)
	if c.Failed < 2*len(l.Resolvers) {
		t.Errorf("%d failed, want at least two by each of %d resolvers", c.Failed, len(l.Resolvers))
	}
	if c.ByOutcome[Unverified] != c.Failed {
		t.Errorf("%v: want that all failures are %s", c.ByOutcome, Unverified)
	}
	if c.FirstFailure.Before(swapped) || c.LastFailure.Sub(swapped) < 5*time.Second {
		t.Errorf("failures from %s to %s after the swap", c.FirstFailure.Sub(swapped), c.LastFailure.Sub(swapped))
	}
	for i := range l.Resolvers {
		if h := l.Finger(i, Host, 25); h.Outcome != Verified || h.MatchedBy != after {
			t.Errorf("resolver %d at the end: %s by %q\n%s", i, h.Outcome, h.MatchedBy, h.Output)
		}
	}
}

// The other side: publish, wait for the secondary and the caches, then swap.
func TestPublishFirstHolds(t *testing.T) {
	t.Parallel()
	const ttl, lag = 3 * time.Second, 2 * time.Second
	l := Start(t, Options{TTL: ttl, Resolvers: 4, SecondaryLag: lag})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := l.Certificates().Issue(t, LeafOptions{})
	before, after := l.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE)

	h := l.Hammer(ctx, HammerOptions{})
	defer h.Stop()
	if err := h.Until(ctx, func(c Counts) bool { return len(c.PerResolver) == 4 }); err != nil {
		t.Fatal(err)
	}
	l.Update(t, Add(Owner(25)+" 3 TLSA "+after))
	l.ReleaseSecondary(t)
	published := time.Now()
	if err := h.Until(ctx, func(Counts) bool { return time.Since(published) > ttl+2*time.Second }); err != nil {
		t.Fatal(err)
	}
	l.Postfix.Install(t, next)
	l.Postfix.RunReload(t)
	if err := h.Until(ctx, func(c Counts) bool { return c.MatchedBy[after] > 20 }); err != nil {
		t.Fatal(err)
	}
	c := h.Stop()
	t.Log(c)
	if c.Failed > 0 || c.MatchedBy[before] == 0 || c.Total != c.Verified {
		t.Errorf("want no failure: %s", c)
	}
}

func TestHammerDovecot(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, Dovecot: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := func(c Counts) bool { return c.Total >= 10 }
	h := l.Hammer(ctx, HammerOptions{Port: 993})
	if err := h.Until(ctx, enough); err != nil {
		t.Error(err)
	}
	if c := h.Stop(); c.Failed > 0 {
		t.Error(c)
	}

	next := l.Certificates().Issue(t, LeafOptions{})
	l.Dovecot.Install(t, next)
	if h := l.Finger(0, Host, 993); h.Outcome != Verified {
		t.Errorf("installed, not reloaded: %s\n%s", h.Outcome, h.Output)
	}
	l.Dovecot.RunReload(t)
	if h := l.Finger(0, Host, 993); h.Outcome != Unverified {
		t.Errorf("reloaded: %s\n%s", h.Outcome, h.Output)
	}
}

func TestHammerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	l.Pause(t, "postfix") // so that the first handshakes are still on their way at the end
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	h := l.Hammer(ctx, HammerOptions{Parallel: 2})
	<-ctx.Done()
	if c := h.Counts(); c.Total > 0 {
		t.Errorf("with Postfix paused: %s", c)
	}
	l.Resume(t, "postfix")
	c := h.Stop()
	if c.Total != 2 || c.Failed > 0 {
		t.Errorf("want both that had begun, verified: %s", c)
	}
	err := h.Until(t.Context(), func(Counts) bool { return false })
	if err == nil || !strings.HasPrefix(err.Error(), "hammer: stopped after ") {
		t.Errorf("waiting on a stopped hammer: %v", err)
	}
}

// A test that fails while it hammers never stops the hammer.
func TestLabEndsItsHammers(t *testing.T) {
	t.Parallel()
	var h *Tally
	t.Run("lab", func(t *testing.T) {
		l := Start(t, Options{Resolvers: 1})
		h = l.Hammer(context.Background(), HammerOptions{Rate: 100})
		if err := h.Until(t.Context(), func(c Counts) bool { return c.Total > 5 }); err != nil {
			t.Error(err)
		}
	})
	if h == nil {
		return // skipped, which the subtest has said
	}
	if c := h.Stop(); c.Failed > 0 {
		t.Error(c)
	}
}
