package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// lister is a provider whose host gives the whole zone at a time.
type lister struct {
	*memory.Zone
	reads, applies int
}

func (l *lister) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	_, err := dnsprovider.ReadOnce(ctx, l, func(context.Context) (bool, error) { l.reads++; return true, nil })
	if err != nil {
		return tlsa.RRset{}, err
	}
	return l.Zone.RRset(ctx, zone, owner)
}

func (l *lister) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	l.applies++
	dnsprovider.ForgetReading(ctx, l)
	return l.Zone.Apply(ctx, zone, changes)
}

// TestZoneIsReadOnceAPass: hosts count how often they are asked, and a lineage may have
// many endpoints.
func TestZoneIsReadOnceAPass(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host := &lister{Zone: w.zone}
		w.config.Providers[0].Provider = host
		l := w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		const ports = 4
		for port := uint16(2525); port < 2525+ports; port++ {
			owner := tlsa.Owner(fmt.Sprintf("_%d._tcp.%s.", port, mx1))
			l.Policy.Endpoints = append(l.Policy.Endpoints, rollover.Endpoint{URL: fmt.Sprintf("smtp://%s:%d", mx1, port), Host: mx1, Port: port, SMTP: true, Owner: owner})
			w.services[fmt.Sprintf("192.0.2.25:%d", port)] = &service{path: l.Install[0].Path}
			w.publish(owner, record(t, first))
		}
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Minute, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)

		w.stage("mx1", second)
		passes, most := 0, 0
		before := *host
		w.goOn(a, time.Hour, func(r Report) bool {
			passes++
			most = max(most, host.reads-before.reads)
			if changes := host.applies - before.applies; changes > 1 {
				t.Errorf("%d calls for the changes of %d owners, want 1", changes, 1+ports)
			}
			before = *host
			return isSteady("mx1", second)(r)
		})
		if most != 1 {
			t.Errorf("the zone was read %d times in a pass, want once", most)
		}
		if host.reads > passes {
			t.Errorf("%d reads in %d passes", host.reads, passes)
		}
	})
}
