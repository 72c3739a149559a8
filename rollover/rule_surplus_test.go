package rollover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A combination of which nobody wants any record leaves whole, also where two
// lineages' chains match one record of it each.
func TestSurplusCombinationLeavesWhole(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		left     tlsa.Params
	}{{"ee+ta", "ee", tlsa.EE}, {"ee+ta", "ta", tlsa.TA}, {"ee", "ta", tlsa.TA}} {
		t.Run(tt.from+" to "+tt.to, func(t *testing.T) {
			w := sim.NewWorld(t)
			w.Scheme(tt.from)
			w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
			w.Hosts["mx1"].Algorithm = "ecdsa"
			w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
			a, b := w.Issue(w.CA("Issuer A", nil), sim.Leaf{}), w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
			w.Serving("mx1", a)
			w.Serving("rsa", b)
			both := func() bool { return w.Steady() && w.State.Lineages["rsa"].Phase == rollover.Steady }
			w.Until(time.Minute, both)
			w.Run(2 * time.Minute)
			w.Scheme(tt.to)
			w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
			w.Run(time.Second)
			w.Until(5*time.Minute, both)
			w.Stands(w.Record(tt.left, a), w.Record(tt.left, b))
		})
	}
}

// A new combination that waited for a chain to be gone waits for its record, too
// (RFC 7671, section 8.2).
func TestNewCombinationWaitsUntilThePastIsOut(t *testing.T) {
	for _, scheme := range []string{"ta", "ee+ta"} {
		t.Run(scheme, func(t *testing.T) {
			w := sim.NewWorld(t)
			first := w.Issue(nil, sim.Leaf{})
			w.Serving("mx1", first)
			w.Until(time.Minute, w.Steady)
			w.Run(2 * time.Minute)
			w.Scheme(scheme)
			second := w.Renew(w.CA("Issuer A", nil))
			w.Until(10*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) })
			if w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
				t.Errorf("2 1 1 came in beside a record that matches no chain any more\n%s", w.Story())
			}
			w.Until(5*time.Minute, w.Done(second))
		})
	}
}

// A pair that was dropped may have come into service since the last look, where a
// server reads the ACME client's files: its record stays until somebody has looked.
func TestRecordOfADroppedPairWaitsForALook(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Careless = true
	w.Policy.Timing.Look = 10 * time.Minute
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	w.Run(40 * time.Second)
	w.Node().Served = second
	w.Order(rollover.Orders{Cancel: true})
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) {
		t.Errorf("the record of what is presented was taken out\n%s", w.Story())
	}
	if slices.ContainsFunc(w.Log(), func(line string) bool { return strings.Contains(line, "retire") }) {
		t.Errorf("it was taken out and put back\n%s", w.Story())
	}
}

// An address that left DNS is asked no more, so that no look makes up for it: what
// waits for it waits until caches have forgotten it, and does not keep on looking.
func TestAddressThatLeftDNSIsWaitedForInPeace(t *testing.T) {
	w, issuer, other := sim.TwoNodes(t)
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	other.Gone = true
	w.Until(time.Minute, func() bool {
		return slices.ContainsFunc(w.Ledger().Addresses, func(a rollover.AddressEvidence) bool { return !a.Gone.IsZero() })
	})
	w.Order(rollover.Orders{Cancel: true})
	looks, last := 0, time.Time{}
	took := w.Until(5*time.Minute, func() bool {
		if at := w.Lineage().Looked.Served; at.After(last) {
			looks, last = looks+1, at
		}
		return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second))
	})
	w.Took("the record's way out", took, 30*time.Second, 45*time.Second)
	if limit := int(took/w.Policy.Timing.Look) + 4; looks > limit {
		t.Errorf("%d looks in %s, want %d at most\n%s", looks, took, limit, w.Story())
	}
}

// A lost journal takes the pair on its way along, and somebody hands it in again: its
// record, which stands since before, leaves with it in the end. A stranger's stays.
func TestRecordOfAPairHandedInAgainIsInherited(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	theirs := w.KeyRecord(w.NewKey())
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	second := w.Renew(issuer)
	w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	w.Run(20 * time.Second)
	w.State, w.Plan = rollover.State{}, rollover.Plan{}
	w.Run(20 * time.Second)
	w.Offer(second)
	w.Until(15*time.Minute, w.Done(second))
	third := w.Renew(issuer)
	w.Until(15*time.Minute, w.Done(third))
	w.Stands(w.Record(tlsa.EE, third), theirs)
}
