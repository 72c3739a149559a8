package main

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// lookAway is how long a look takes while a server hangs: three tries over UDP, then one
// over TCP. Where it is gone, the tries are spaced by lookGone in all.
const (
	lookAway = 11 * time.Second
	lookGone = 3500 * time.Millisecond
)

// grace is for how long a server may be silent before a person is told, and before it
// counts as giving every old answer.
const grace = time.Minute

// newLifeWithThree has a third name server, which follows at once.
func newLifeWithThree(t *testing.T) (*life, *lab.Secondary) {
	t.Helper()
	l := newLife(t, lab.Options{}, setting{})
	third := l.AddSecondary(t)
	names := []string{"ns1.example.org.", "ns2.example.org.", third.Host}
	l.SetNS(t, lab.Domain, names...)
	l.SetDelegation(t, lab.Domain, names...)
	l.eventually(10*time.Second, "aware of three servers", func(s rollover.LineageStatus) bool {
		servers := s.Endpoints[0].Servers
		return len(servers) == 3 && !slices.ContainsFunc(servers, func(v rollover.ServerStatus) bool { return v.Converged != rollover.Yes })
	})
	return l, third
}

// missed reports whether it says that a server gives no answer, by name and address.
func missed(s rollover.LineageStatus, name, address string) bool {
	return says(rollover.CodeServerUnknown, name, address)(s)
}

// TestLifeSecondariesDieInTheMiddleOfAWait: one is gone, so that it refuses connections, and
// one hangs. However ready the successor is, it is not swapped in before both are back.
func TestLifeSecondariesDieInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	l, third := newLifeWithThree(t)
	gone := func(s rollover.LineageStatus) bool { return missed(s, "ns2.example.org.", l.Secondary.String()) }
	hangs := func(s rollover.LineageStatus) bool { return missed(s, third.Host, third.Addr.String()) }
	next := l.renew()
	l.published(next)
	ready := *l.eventually(lifeIpub, "seen often enough", func(s rollover.LineageStatus) bool {
		return succeeds(next)(s) && !says(rollover.CodeNotEverywhere)(s)
	}).Successor.ReadyAt

	l.Kill(t, "secondary")
	l.Pause(t, third.Name)
	l.eventually(2*lookAway, "in wait of both", func(s rollover.LineageStatus) bool {
		return succeeds(next)(s) && gone(s) && hangs(s)
	})
	l.StartAgain(t, "secondary")
	l.eventually(2*lookAway, "in wait of the other", func(s rollover.LineageStatus) bool {
		return succeeds(next)(s) && !gone(s) && hangs(s)
	})
	if late := time.Since(ready); late < 2*lifeTTL {
		t.Fatalf("two TTLs are to pass after it was ready, and it was %s", late)
	}
	l.Resume(t, third.Name)
	back := time.Now()
	l.eventually(lookAway, "swapped", isLive(next))
	late := l.switched().Sub(back)
	t.Logf("ready at %s, both servers back at %s, swapped %s later", clock(ready), clock(back), late.Round(time.Millisecond))
	if most := time.Second + lookGone + time.Second; late < 0 || late > most {
		t.Errorf("swapped %s after both were back, want 0s to %s", late, most)
	}
	l.settled(next)
	l.unharmed(l.hammer, 40)
}

// TestLifeSecondariesAreDeadForMinutes: that is told of, and who it is. A pair that comes
// meanwhile is published, and its wait begins when they are back, with an old zone.
func TestLifeSecondariesAreDeadForMinutes(t *testing.T) {
	t.Parallel()
	l, third := newLifeWithThree(t)
	both := func(s rollover.LineageStatus) bool {
		return missed(s, "ns2.example.org.", l.Secondary.String()) && missed(s, third.Host, third.Addr.String())
	}
	l.Kill(t, "secondary")
	l.Pause(t, third.Name)
	steady := l.eventually(grace+2*lookAway, "told of", func(s rollover.LineageStatus) bool { return both(s) })
	if len(steady.Waiting) > 0 || len(steady.Warnings) != 2 || steady.Phase != rollover.Steady {
		t.Errorf("while both are away:\n%s", steady.Explain(time.Now()))
	}
	next := l.renew()
	// A pair is taken in the second look that finds its files the same, and seen in the next.
	l.eventually(4*lookAway, "in wait of both", func(s rollover.LineageStatus) bool {
		return succeeds(next)(s) && s.Successor.ReadyAt == nil && len(s.Waiting) > 0 && both(s)
	})
	l.StartAgain(t, "secondary")
	l.Resume(t, third.Name)
	back := time.Now()
	ready, _ := l.swapsInTime(30*time.Second, next)
	if ready.Before(back.Add(lifeIpub)) {
		t.Errorf("ready at %s, and servers may have given old answers until %s", clock(ready), clock(back))
	}
	l.settled(next)
	l.unharmed(l.hammer, 40)
}
