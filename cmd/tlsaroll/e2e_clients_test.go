package main

import (
	"flag"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var renewalsWanted = flag.Int("renewals", 2, "how many certificates in a row each of TestACME… gets")

// TestACMEClients has real ACME clients get certificate after certificate from a CA, under
// load, and hand them over by their hooks. The first one is from another issuer than the
// one that was served before.
func TestACMEClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind lab.ClientKind
		hook string
	}{
		{lab.DebianLego, "lego"},
		{lab.Lego4, "lego"},
		{lab.Lego5, "lego"},
		{lab.Certbot, "certbot"},
		{lab.Dehydrated, "dehydrated"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			l := newClientLife(t, c.kind)
			client := l.Client(t, c.kind, lab.Program(t, "tlsaroll"), "-c", l.config, "hook", c.hook)
			for range *renewalsWanted {
				l.rolled(client.Order(t))
			}
			l.unharmed(l.hammer, 12**renewalsWanted)
			t.Logf("%s: %d renewals in %s", c.kind, *renewalsWanted, time.Since(begun).Round(time.Second))
		})
	}
}

// clientTTL makes ten renewals short.
const clientTTL = 2 * time.Second

// newClientLife is a life with a CA, whose lineage gets pairs by the hook alone.
func newClientLife(t *testing.T, kind lab.ClientKind) *life {
	t.Helper()
	return newLife(t, lab.Options{
		TTL:  clientTTL,
		TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}, Clients: []lab.ClientKind{kind},
		Pebble: &lab.PebbleOptions{Profiles: map[string]time.Duration{lab.Classic: 90 * 24 * time.Hour}},
	}, setting{scheme: "ee+ta", staged: "hook: true"})
}

// rolled waits until a pair is the one that is served, and the records of the one before
// are gone.
func (l *life) rolled(p *lab.Pair) {
	l.t.Helper()
	l.eventually(40*time.Second, "rolled", func(s rollover.LineageStatus) bool {
		return live(p)(s) && len(s.Waiting) == 0 && len(s.Warnings) == 0
	})
	l.only(lab.Owner(25), p.TLSA(l.t, tlsa.EE), p.TLSA(l.t, tlsa.TA), someoneElses)
}
