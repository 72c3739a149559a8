package sink_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
)

var (
	mta      = netip.MustParseAddr("192.0.2.25")
	somebody = netip.MustParseAddr("198.51.100.7")
)

// visit is one of a sender that leaves with its mail.
func visit(serial int, at time.Time, sni sink.Kind) sink.Visit {
	return sink.Visit{Serial: serial, Peer: mta, Begun: at, Ended: at, Hello: "mta", SNI: domain(sni)}
}

func delivery(serial int, at time.Time, k sink.Kind) sink.Visit {
	v := visit(serial, at, k)
	v.Recipients, v.Delivered = []string{domain(k)}, []string{domain(k)}
	return v
}

// alone is a visit where no STARTTLS is offered.
func alone(serial int, at time.Time, k sink.Kind) sink.Visit {
	return sink.Visit{Serial: serial, Peer: mta, Begun: at, Ended: at, Hello: "mta", Alone: k}
}

func cases(addresses ...string) []sink.Case {
	var all []sink.Case
	for _, k := range sink.Kinds() {
		all = append(all, sink.Case{Kind: k, Domain: domain(k)})
	}
	var at []netip.AddrPort
	for _, a := range addresses {
		at = append(at, netip.AddrPortFrom(netip.MustParseAddr(a), 25))
	}
	return sink.Assign(all, at)
}

// TestAssign: who is alone needs an address or a time for itself.
func TestAssign(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		addresses []string
		want      map[sink.Kind]string
		rounds    int
	}{
		{[]string{"192.0.2.1"}, map[sink.Kind]string{sink.NoTLS: "192.0.2.1 1", sink.Unusable: "192.0.2.1 2"}, 3},
		{[]string{"192.0.2.1", "192.0.2.2"}, map[sink.Kind]string{sink.NoTLS: "192.0.2.2 0", sink.Unusable: "192.0.2.2 1"}, 2},
		{[]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, map[sink.Kind]string{sink.NoTLS: "192.0.2.2 0", sink.Unusable: "192.0.2.3 0"}, 1},
	} {
		got := cases(tc.addresses...)
		for _, c := range got {
			want := tc.want[c.Kind]
			if want == "" {
				want = "192.0.2.1 0"
			}
			if have := c.Address.Addr().String() + " " + string(rune('0'+c.Round)); have != want {
				t.Errorf("%v: %s is at %s, want %s", tc.addresses, c.Kind, have, want)
			}
		}
		if n := sink.Rounds(got); n != tc.rounds {
			t.Errorf("%v: %d rounds, want %d", tc.addresses, n, tc.rounds)
		}
	}
}

// TestAwait: how long is waited for what.
func TestAwait(t *testing.T) {
	t.Parallel()
	const quiet, patience, limit = 15 * time.Second, time.Minute, 10 * time.Minute
	for name, tc := range map[string]struct {
		came func(w *sink.Watch, at func(seconds int) time.Time)
		want time.Duration
	}{
		"nothing": {func(*sink.Watch, func(int) time.Time) {}, limit},
		"all at once": {func(w *sink.Watch, at func(int) time.Time) {
			for i, k := range []sink.Kind{sink.Right, sink.None} {
				w.Seen(delivery(i, at(2), k))
			}
			for i, k := range []sink.Kind{sink.Wrong, sink.Agility} {
				w.Seen(visit(10+i, at(3), k))
			}
			for i, k := range []sink.Kind{sink.NoTLS, sink.Unusable} {
				w.Seen(alone(20+i, at(4), k))
			}
		}, 4*time.Second + quiet},
		"what matters": {func(w *sink.Watch, at func(int) time.Time) {
			w.Seen(delivery(1, at(2), sink.Right))
			w.Seen(visit(2, at(3), sink.Wrong))
			w.Seen(alone(3, at(4), sink.NoTLS))
		}, 4*time.Second + patience},
		"one is missing": {func(w *sink.Watch, at func(int) time.Time) {
			w.Seen(delivery(1, at(2), sink.Right))
			w.Seen(visit(2, at(3), sink.Wrong))
		}, limit},
		"it came again": {func(w *sink.Watch, at func(int) time.Time) {
			for i, k := range sink.Kinds() {
				if k != sink.Wrong {
					w.Seen(delivery(10+i, at(2), k))
				}
			}
			w.Seen(visit(1, at(2), sink.Wrong))
			w.Seen(delivery(2, at(12), sink.Wrong))
		}, 12 * time.Second},
		"one stays": {func(w *sink.Watch, at func(int) time.Time) {
			w.Seen(delivery(1, at(2), sink.Right))
			w.Seen(visit(2, at(3), sink.Wrong))
			w.Seen(alone(3, at(3), sink.NoTLS))
			v := visit(4, at(3), sink.Wrong)
			v.Ended = time.Time{}
			w.Seen(v)
			v.Ended = at(100)
			w.Seen(v)
		}, 100*time.Second + patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				w := &sink.Watch{Cases: cases("192.0.2.1", "192.0.2.2", "192.0.2.3"), Now: time.Now, Quiet: quiet, Patience: patience}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				go tc.came(w, func(seconds int) time.Time {
					at := begun.Add(time.Duration(seconds) * time.Second)
					time.Sleep(time.Until(at))
					return at
				})
				err := w.Await(ctx, 0, begun)
				if took := time.Since(begun); took != tc.want {
					t.Errorf("after %s, want %s", took, tc.want)
				}
				if (tc.want == limit) != errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

// TestRoundOfItsOwn: what came before does not count, and it is not waited for in vain.
func TestRoundOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := &sink.Watch{Cases: cases("192.0.2.1"), Now: time.Now, Quiet: time.Second, Patience: time.Minute}
		w.Seen(delivery(1, begun.Add(-time.Hour), sink.Right))
		if err := w.Await(t.Context(), 2, begun); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		time.AfterFunc(5*time.Second, func() { w.Seen(alone(2, time.Now(), sink.NoTLS)) })
		begun = time.Now()
		if err := w.Await(t.Context(), 1, begun); err != nil || time.Since(begun) != 6*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

// TestStrangers: whose visit is no sign of a sender that keeps its mail.
func TestStrangers(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	stranger := alone(1, at, sink.NoTLS)
	stranger.Peer = somebody
	silent := alone(2, at, sink.NoTLS)
	silent.Hello = ""
	lost := alone(3, at, sink.NoTLS)
	lost.Strangers = 1 // it has mail for somebody else
	for name, tc := range map[string]struct {
		visits []sink.Visit
		local  []netip.Addr
		want   sink.Outcome
	}{
		"a stranger":                      {[]sink.Visit{stranger}, nil, sink.Absent},
		"from this host":                  {[]sink.Visit{stranger}, []netip.Addr{somebody}, sink.Kept},
		"the sender, who came before":     {[]sink.Visit{delivery(0, at, sink.Right), alone(4, at, sink.NoTLS)}, nil, sink.Kept},
		"the sender, who comes later":     {[]sink.Visit{alone(4, at, sink.NoTLS), visit(5, at, sink.Wrong)}, nil, sink.Kept},
		"the sender, and said nothing":    {[]sink.Visit{delivery(0, at, sink.Right), silent}, nil, sink.Absent},
		"the sender, with another's mail": {[]sink.Visit{delivery(0, at, sink.Right), lost}, nil, sink.Absent},
		"a stranger beside the sender":    {[]sink.Visit{delivery(0, at, sink.Right), stranger}, nil, sink.Absent},
	} {
		for _, r := range sink.Results(cases("192.0.2.1", "192.0.2.2"), tc.visits, tc.local) {
			if r.Kind == sink.NoTLS && r.Outcome != tc.want {
				t.Errorf("%s: %s, want %s", name, r.Outcome, tc.want)
			}
		}
	}
}
