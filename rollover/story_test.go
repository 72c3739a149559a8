package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestRenewalWithNewKey(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	took := w.Until(10*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub, 3*time.Second) // a lag of 5 s, noticed within 1.2 s
	w.Until(10*time.Minute, w.Steady)
	w.Stands(w.Record(tlsa.EE, second))
}

func TestRenewalUnderEachScheme(t *testing.T) {
	for _, scheme := range []string{"ee", "ta", "ee+ta", "ee+standby", "ta+standby"} {
		t.Run(scheme, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, scheme)
			other := w.CA("Issuer B", nil)
			for _, by := range []*sim.CA{issuer, other, issuer, issuer} {
				w.Until(30*time.Minute, w.Done(w.Renew(by)))
			}
			as, err := w.Policy.Lineages["mx1"].Needs(w.Chains[w.Live()])
			if err != nil {
				t.Fatal(err)
			}
			w.Stands(as...)
		})
	}
}

// A pair that a person hands in goes the same way, back to an older one too.
func TestRollback(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(5 * time.Second)
	w.OfferTo("mx1", first, true)
	took := w.Until(time.Minute, w.Swapped(first))
	w.Took("the way back inside the retire window", took, 0, time.Second)
	w.Until(5*time.Minute, w.Steady)
	w.Stands(w.Record(tlsa.EE, first))
}

// TestSchemeNarrowedInTheWait drops ta from the scheme while a successor under a
// new issuer waits: what it needs of the combination that stands stays, so that
// the wait goes on and does not start again.
func TestSchemeNarrowedInTheWait(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee+ta")
	second := w.Issue(w.CA("Issuer B", w.CA("Root B", nil)), sim.Leaf{})
	for tlsa.Compare(w.Record(tlsa.TA, second), w.Record(tlsa.TA, first)) < 0 { // the first in order is kept by the live chain, the other would leave
		second = w.Issue(w.CA("Issuer B", w.CA("Root B", nil)), sim.Leaf{})
	}
	w.Offer(second)
	begin := w.Now
	w.Run(20 * time.Second)
	w.Scheme("ee")
	w.Until(10*time.Minute, w.Swapped(second))
	if took := w.Now.Sub(begin); took > sim.Ipub+10*time.Second {
		t.Errorf("the wait took %s, and is %s\n%s", took, sim.Ipub, w.Story())
	}
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
}

// TestTakenOutAfterOurOwnWrite takes the live record out a moment after we wrote
// to the zone: what is remembered of the provider's copy is not believed then.
func TestTakenOutAfterOurOwnWrite(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.Record(tlsa.EE, second)) })
	took := w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	if limit := w.Policy.Timing.Look + 10*time.Second; took > limit {
		t.Errorf("published again after %s, want %s at most\n%s", took, limit, w.Story())
	}
}
