package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The TTL in the stories of a host's life, and Ipub of it.
const (
	lifeTTL  = 5 * time.Second
	lifeIpub = lifeTTL + labFloor
)

// life is a host on which the daemon runs for a while, under load, beside a record of
// someone else's.
type life struct {
	*host
	daemon *lab.Daemon
	hammer *lab.Tally
}

func newLife(t *testing.T, o lab.Options, s setting) *life {
	t.Helper()
	o.TTL, o.Resolvers, o.SecondaryLag = lifeTTL, 3, time.Second
	o.Records = append(o.Records, lab.Owner(25)+" 5 IN TLSA "+someoneElses)
	s.knownTTL = "5s"
	l := &life{}
	t.Cleanup(func() {
		if t.Failed() && l.daemon != nil {
			t.Log(l.daemon)
		}
	})
	l.host, l.daemon = newDaemonHost(t, o, s)
	l.hammer = l.Hammer(t.Context(), lab.HammerOptions{Rate: 6, Stagger: lifeTTL})
	return l
}

// renew has lego leave a new pair.
func (l *life) renew() *lab.Pair {
	l.t.Helper()
	next := l.Certificates().Issue(l.t, lab.LeafOptions{})
	l.Lego().Renew(l.t, next)
	return next
}

// published waits until a successor is on every server, and its wait has begun.
func (l *life) published(p *lab.Pair) rollover.LineageStatus {
	l.t.Helper()
	return l.eventually(20*time.Second, "published", func(s rollover.LineageStatus) bool {
		return succeeds(p)(s) && s.Successor.Phase == rollover.Published && s.Successor.ReadyAt != nil
	})
}

// swapped waits until a successor is live, and wants its swap when it was ready: not
// before, and a second later at most.
func (l *life) swapped(limit time.Duration, p *lab.Pair) (ready, at time.Time) {
	l.t.Helper()
	l.eventually(limit, "swapped", func(s rollover.LineageStatus) bool {
		if succeeds(p)(s) && s.Successor.ReadyAt != nil {
			ready = *s.Successor.ReadyAt
		}
		return isLive(p, s)
	})
	at = l.switched()
	l.inTime("ready", ready, at)
	return ready, at
}

// inTime wants a swap at most a second after a moment, and not before.
func (l *life) inTime(what string, moment, swapped time.Time) {
	l.t.Helper()
	over := swapped.Sub(moment)
	l.t.Logf("%s at %s, swapped at %s: overhead %s", what, clock(moment), clock(swapped), over.Round(time.Millisecond))
	// The time of a file is that of the kernel's last tick.
	if over < -10*time.Millisecond || over > time.Second {
		l.t.Errorf("swapped %s after it was %s, want 0s to 1s", over, what)
	}
}

// switched is when the live link was last renamed into its place.
func (l *life) switched() time.Time {
	l.t.Helper()
	link, err := os.Lstat(filepath.Join(l.Dir, "tlsaroll", "live", "mx1"))
	if err != nil {
		l.t.Fatal(err)
	}
	return link.ModTime()
}

// settled waits until a pair is live and verified, with nothing left to do or to say,
// and wants its records and someone else's, and no others.
func (l *life) settled(p *lab.Pair, scheme ...tlsa.Params) {
	l.t.Helper()
	l.eventually(30*time.Second, "steady with nothing to say", func(s rollover.LineageStatus) bool {
		return live(p)(s) && s.Queued == nil && s.Held == nil && len(s.Waiting) == 0 && len(s.Warnings) == 0
	})
	want := []string{someoneElses}
	for _, params := range append(scheme, tlsa.EE) {
		want = append(want, p.TLSA(l.t, params))
	}
	l.only(lab.Owner(25), want...)
}

func isLive(p *lab.Pair, s rollover.LineageStatus) bool {
	return s.Live != nil && s.Live.Leaf == leafID(p)
}

// succeeds says that a pair is the successor.
func succeeds(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool { return s.Successor != nil && s.Successor.Leaf == leafID(p) }
}

// says reports whether status has a sentence with a code, as a reason or a warning,
// that has all of some parts in it.
func says(s rollover.LineageStatus, code rollover.Code, parts ...string) bool {
	found := func(c rollover.Code, text string) bool {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return c == code
	}
	for _, r := range s.Waiting {
		if found(r.Code, r.Text) {
			return true
		}
	}
	for _, w := range s.Warnings {
		if found(w.Code, w.Text) {
			return true
		}
	}
	return false
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }
