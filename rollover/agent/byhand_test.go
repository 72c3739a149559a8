package agent

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// person makes a change when it was asked for long enough.
type person struct {
	dnsprovider.Provider
	takes time.Duration
	asked map[string]time.Time
}

func (p person) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	what := rollover.Change{Owner: changes[0].Owner, Before: changes[0].Before, After: changes[0].After}.String()
	since, known := p.asked[what]
	if !known {
		p.asked[what], since = time.Now(), time.Now()
	}
	if time.Since(since) >= p.takes {
		return p.Provider.Apply(ctx, zone, changes)
	}
	byHand := &dnsprovider.ByHandError{Zone: zone}
	for _, a := range changes[0].Add() {
		byHand.Add = append(byHand.Add, a.String())
	}
	for _, a := range changes[0].Remove() {
		byHand.Remove = append(byHand.Remove, a.String())
	}
	return []error{&dnsprovider.Error{Op: "change", Owner: changes[0].Owner, Kind: dnsprovider.Temporary, Err: byHand}}
}

// TestChangesByHand: a person who takes a while is waited for, and told as such and not as a
// failure; the swap comes when all rules are met, as with any provider.
func TestChangesByHand(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const takes = 20 * time.Minute
		p := person{w.config.Providers[0].Provider, takes, map[string]time.Time{}}
		w.config.Providers[0].Provider = p
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		w.goOn(a, 24*time.Hour, isSteady("mx1", first))

		w.stage("mx1", second)
		staged := time.Now()
		var seen []rollover.Code
		var ready, gone time.Time
		w.goOn(a, 72*time.Hour, func(r Report) bool {
			for _, s := range rollover.Describe(r.State, r.Policy, r.At) {
				for _, warning := range s.Warnings {
					seen = append(seen, warning.Code)
				}
			}
			if l := r.State.Lineages["mx1"]; l.Live == second.Chain.ID() && ready.IsZero() {
				ready = time.Now()
			}
			if isSteady("mx1", second)(r) && len(r.State.Owners[owner25(mx1)].Ours) == 1 {
				gone = time.Now()
			}
			return !gone.IsZero()
		})
		w.served("mx1", second)
		if took := ready.Sub(staged); took < takes || took > takes+10*time.Minute {
			t.Errorf("swapped after %s", took)
		}
		seen = slices.Compact(slices.Sorted(slices.Values(seen)))
		for _, code := range []rollover.Code{rollover.CodeAddByHand, rollover.CodeChangeByHand} {
			if !slices.Contains(seen, code) {
				t.Errorf("warned of %v, and not of %s", seen, code)
			}
		}
		if slices.Contains(seen, rollover.CodeUpdateFailed) || slices.Contains(seen, rollover.CodeRepair) || slices.Contains(seen, rollover.CodeNotEverywhere) {
			t.Errorf("warned of %v", seen)
		}
		if n := w.log.count("level=ERROR"); n > 0 {
			t.Errorf("%d errors in the log", n)
		}
	})
}
