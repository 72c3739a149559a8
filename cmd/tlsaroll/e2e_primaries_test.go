package main

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// rollAtPrimary rolls under load with a primary other than BIND, while the secondary lags,
// beside a record that is somebody else's.
func rollAtPrimary(t *testing.T, kind lab.PrimaryKind, by func(*host) setting) {
	t.Helper()
	h := newHost(t, lab.Options{
		Primary: kind, TTL: labTTL, Resolvers: 4,
		Records: []string{lab.Owner(25) + " 10 IN TLSA " + someoneElses},
	}, setting{})
	h.configure(by(h))
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.ReleaseSecondary(t)
	const lag = 5 * time.Second
	h.LagSecondary(lag)
	if converged := h.rollUnderLoad(next, lab.HammerOptions{Rate: 3}, 80); converged < lag-time.Second {
		t.Errorf("the secondary was seen converged after %s, and should lag %s", converged, lag)
	}
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	if _, err := h.Next(t.Context(), h.Primary, lab.Owner(25)); err != nil {
		t.Errorf("after the old record went: %v", err)
	}
}

func usual(*host) setting { return setting{} }

func TestRolloverKnot(t *testing.T) {
	t.Parallel()
	rollAtPrimary(t, lab.Knot, usual)
}

func TestRolloverPowerDNS(t *testing.T) {
	t.Parallel()
	rollAtPrimary(t, lab.PowerDNS, usual)
}

func TestRolloverPowerDNSAPI(t *testing.T) {
	t.Parallel()
	rollAtPrimary(t, lab.PowerDNS, func(h *host) setting {
		return setting{api: "type: powerdns, server: " + h.PowerDNS.URL + ", token-file: " + h.PowerDNS.KeyFile}
	})
}
