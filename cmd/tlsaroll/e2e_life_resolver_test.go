package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeResolverIsDown: the host's own validating resolver goes away in the middle of a
// wait, and hangs in the middle of the next. Nobody can say then whether senders
// would believe the records: nothing is swapped, status says so.
func TestLifeResolverIsDown(t *testing.T) {
	t.Parallel()
	h, d := newDaemonHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, Records: foreignRecord}, setting{})
	logged(t, d)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	resolver := "resolver-" + h.Resolver.Addr().String()
	before := h.Live
	for _, outage := range []struct {
		how      string
		from, to func(testing.TB, string)
	}{
		{"gone", h.Stop, h.StartAgain},
		{"hanging", h.Pause, h.Resume},
	} {
		next := h.Certificates().Issue(t, lab.LeafOptions{})
		h.Lego().Renew(t, next)
		ready := *h.eventually(20*time.Second, "published", published(next)).Successor.ReadyAt
		outage.from(t, resolver)
		h.eventually(40*time.Second, "waiting for a resolver that is "+outage.how, says(rollover.CodeZoneIndeterminate, h.Resolver.String()))
		h.eventually(20*time.Second, "past the wait", func(rollover.LineageStatus) bool { return time.Now().After(ready.Add(3 * time.Second)) })
		if s := h.state(); s.Live.Leaf != leafID(before) || !says(rollover.CodeZoneIndeterminate, h.Resolver.String())(s) {
			t.Errorf("with a resolver that is %s:\n%s", outage.how, s.Explain(time.Now()))
		}
		outage.to(t, resolver)
		back := time.Now()
		h.eventually(20*time.Second, "clear", saysNot(rollover.CodeZoneIndeterminate))
		h.eventually(30*time.Second, "calm", calm(next))
		t.Logf("%s: swapped %s after the resolver was back", outage.how, h.switched().Sub(back).Round(time.Millisecond))
		if h.switched().Before(back) {
			t.Errorf("%s: swapped before the resolver was back", outage.how)
		}
		before = next
	}
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), before.TLSA(t, tlsa.EE), someoneElses)
}
