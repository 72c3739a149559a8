package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestACMEOrders orders certificate after certificate, under load, each from another issuer
// than the one before: the CA is started anew in between, and knows no account of ours.
func TestACMEOrders(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	l := newACMELife(t, "ee+ta")
	for i := range *renewalsWanted {
		if i > 0 {
			l.Pebble.Restart(t)
		}
		l.rolled(l.ordered())
	}
	l.unharmed(l.hammer, 12**renewalsWanted)
	t.Logf("%d renewals in %s", *renewalsWanted, time.Since(begun).Round(time.Second))
}

// TestACMEOrdersWithStandbyKeys is the same where the next key's record stands before
// anything is ordered: the certificate is for that key.
func TestACMEOrdersWithStandbyKeys(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	l := newACMELife(t, "ee+ta+standby")
	standby := l.standsBy(l.Live)
	for i := range *renewalsWanted {
		if i > 0 {
			l.Pebble.Restart(t)
		}
		next := l.ordered()
		if got := next.TLSA(t, tlsa.EE); got != standby {
			t.Errorf("order %d is for the key of %s, want the standby key, %s", i+1, got, standby)
		}
		standby = l.standsBy(next)
	}
	l.unharmed(l.hammer, 12**renewalsWanted)
	t.Logf("%d renewals in %s", *renewalsWanted, time.Since(begun).Round(time.Second))
}

// TestACMERenewalWantedInTheMiddleOfAWait: the CA wants the certificate to be replaced
// whose records are being waited for. Whatever is ordered then, the wait is as long as
// before, and the certificate gets its turn.
func TestACMERenewalWantedInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l := newACMELife(t, "ee+ta")
	gate := l.Pebble.Gate(t)
	l.configure(l.ownACME("ee+ta", gate.Directory))
	l.daemon = l.stopped(l.daemon)
	gate.HoldNext()
	begun := time.Now()
	first := l.ordered()
	gate.AwaitHeld(t, 20*time.Second)
	l.Pebble.SuggestRenewalBetween(t, first.Leaf(), time.Now().Add(-2*time.Minute), time.Now().Add(-time.Minute))
	gate.Open()
	l.eventually(20*time.Second, "told to renew", func(s rollover.LineageStatus) bool {
		return succeeds(first)(s) && s.Renewal != nil && strings.Contains(s.Renewal.Reason, "wants it between")
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	published, err := l.daemon.Line(ctx, begun, "publish "+lab.Owner(25))
	if err != nil {
		t.Fatal(err)
	}
	_, at := l.swapsInTime(20*time.Second, first)
	if wait := at.Sub(published.At); wait < clientTTL+labFloor {
		t.Errorf("swapped %s after the records were published, want %s at least", wait, clientTTL+labFloor)
	}
	for _, line := range l.daemon.Lines() {
		if !strings.HasPrefix(line.Text, "time=") {
			t.Errorf("a line without structure in the daemon's log: %s", line.Text)
		}
	}
	l.unharmed(l.hammer, 30)
}

// newACMELife is a life with a CA of which tlsaroll itself orders.
func newACMELife(t *testing.T, scheme string) *life {
	t.Helper()
	l := &life{host: newHost(t, lab.Options{
		TTL: clientTTL, Resolvers: 3, SecondaryLag: time.Second, Records: foreignRecord,
		TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}, Pebble: &lab.PebbleOptions{},
	}, setting{})}
	l.configure(l.ownACME(scheme, l.Pebble.Directory))
	t.Cleanup(func() {
		if t.Failed() && l.daemon != nil {
			t.Log(l.daemon)
		}
	})
	l.daemon = l.run()
	l.eventually(30*time.Second, "adopted", isLive(l.Live))
	l.hammer = l.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: clientTTL})
	return l
}

// ownACME has certificates of six days ordered at a directory.
func (l *life) ownACME(scheme, directory string) setting {
	order := fmt.Sprintf("acme: {directory: %q, email: postmaster@example.org, challenge: dns-01, profile: %s, ca-file: %s}", directory, lab.ShortLived, l.Pebble.CAFile)
	return setting{scheme: scheme, knownTTL: "5s", staged: order}
}

// ordered has the daemon order, and returns what it got.
func (l *life) ordered() *lab.Pair {
	l.t.Helper()
	before := l.state()
	if code, out, errs := l.tlsaroll("rollover", "mx1"); code != exitWaiting && code != exitDone {
		l.t.Fatalf("rollover: exit %d\n%s%s", code, out, errs)
	}
	var id tlsa.ChainID
	l.eventually(20*time.Second, "ordered", func(s rollover.LineageStatus) bool {
		id = s.Live.ID
		if s.Successor != nil {
			id = s.Successor.ID
		}
		return id != before.Live.ID
	})
	return l.stashed(id)
}

// stashed reads a pair from the stash. Its key is none of what the program may tell.
func (l *life) stashed(id tlsa.ChainID) *lab.Pair {
	l.t.Helper()
	entry := filepath.Join(l.Dir, "tlsaroll", "stash", string(id))
	p, err := lab.ReadPair(filepath.Join(entry, certwatch.FullchainFile), filepath.Join(entry, certwatch.PrivkeyFile))
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.Secrets().PlantKey("the key of "+string(id), p.Key); err != nil {
		l.t.Fatal(err)
	}
	return p
}

// standsBy waits until a pair is the one that is served and one more key's record stands
// beside its own and someone else's, and returns that.
func (l *life) standsBy(p *lab.Pair) string {
	l.t.Helper()
	var more []string
	l.eventually(40*time.Second, "with a standby key", func(s rollover.LineageStatus) bool {
		own := []string{p.TLSA(l.t, tlsa.EE), p.TLSA(l.t, tlsa.TA), someoneElses}
		more = slices.DeleteFunc(l.records(lab.Owner(25)), func(r string) bool { return slices.Contains(own, r) })
		return live(p)(s) && len(s.Warnings) == 0 && len(more) == 1 && strings.HasPrefix(more[0], "3 1 1 ")
	})
	return more[0]
}
