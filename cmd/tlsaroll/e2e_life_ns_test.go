package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeNameServersChangeWhileItWaits: one that lags takes the place of one that has
// had no transfer for long. Caches may ask the old one as long as they hold its NS
// record, and hold what it gave for a TTL more.
func TestLifeNameServersChangeWhileItWaits(t *testing.T) {
	t.Parallel()
	h, d := newDaemonHost(t, lab.Options{TTL: lifeTTL, NSTTL: lifeTTL, Resolvers: 3, Records: foreignRecord}, setting{})
	logged(t, d)
	third := h.AddSecondary(t)
	third.Hold()
	h.HoldSecondary()
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.eventually(20*time.Second, "waiting for ns2", says(rollover.CodeNotEverywhere, h.Secondary.String()))

	h.SetNS(t, lab.Domain, "ns1.example.org.", third.Host)
	h.SetDelegation(t, lab.Domain, "ns1.example.org.", third.Host)
	changed := time.Now()
	third.Lag(3 * time.Second)
	h.eventually(20*time.Second, "waiting for ns3", says(rollover.CodeNotEverywhere, third.Addr.String()))
	h.eventually(20*time.Second, "told that ns2 counts on", says(rollover.CodeServerUnlisted, h.Secondary.String()))
	_, swapped := h.swapsInTime(time.Minute, next)
	if soonest := changed.Add(lifeTTL + lifeTTL); swapped.Before(soonest) {
		t.Errorf("swapped at %s: caches may have asked ns2 until %s, and hold its answer until %s", swapped, changed.Add(lifeTTL), soonest)
	}
	t.Logf("swapped %s after the NS records had changed; NS and TLSA have a TTL of %s", swapped.Sub(changed), lifeTTL)
	h.eventually(30*time.Second, "calm", calm(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}
