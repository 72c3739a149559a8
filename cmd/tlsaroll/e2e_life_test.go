package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
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
	if o.TTL == 0 {
		o.TTL = lifeTTL
	}
	o.Resolvers, o.SecondaryLag = 3, time.Second
	o.Records = append(o.Records, foreignRecord...)
	s.knownTTL = "5s"
	l := &life{}
	t.Cleanup(func() {
		if t.Failed() && l.daemon != nil {
			t.Log(l.daemon)
		}
	})
	l.host, l.daemon = newDaemonHost(t, o, s)
	l.hammer = l.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: o.TTL})
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
	return l.eventually(20*time.Second, "published", published(p))
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
