package rollover

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ipub is the publication interval of a world's TTL of a minute.
const ipub = 70 * time.Second

// rolled is a world in which mx1 serves its first pair, adopted and steady, and
// nothing of the time before is left.
func rolled(t testing.TB, scheme string) (*world, *ca, tlsa.ChainID) {
	t.Helper()
	w := newWorld(t)
	w.scheme(scheme)
	issuer := w.ca("Issuer A", w.ca("Root", nil))
	first := w.issue(issuer, leaf{})
	w.serving("mx1", first)
	w.until(time.Minute, w.steady)
	if w.live() != first {
		t.Fatalf("the served pair was not adopted\n%s", w.story())
	}
	w.run(5 * time.Minute)
	return w, issuer, first
}

func (w *world) scheme(text string) {
	w.t.Helper()
	s, err := ParseScheme(text)
	if err != nil {
		w.t.Fatal(err)
	}
	w.configure(func(p *LineagePolicy) { p.Scheme = s })
}

// renew offers a new pair with a new key to mx1.
func (w *world) renew(issuer *ca) tlsa.ChainID {
	w.t.Helper()
	id := w.issue(issuer, leaf{})
	w.offer(id)
	return id
}

// swapped is true once the pair is live.
func (w *world) swapped(id tlsa.ChainID) func() bool {
	return func() bool { return w.live() == id }
}

// done is true once the pair is live and nothing is left to do.
func (w *world) done(id tlsa.ChainID) func() bool {
	return func() bool { return w.live() == id && w.steady() }
}

// stands fails unless just these records stand in the zone.
func (w *world) stands(as ...tlsa.Association) {
	w.t.Helper()
	if got := w.zone[owner25(w.t)].rrset; !got.Same(tlsa.NewRRset(0, as...)) {
		w.t.Errorf("the zone holds %v, want %v\n%s", got.Associations, as, w.story())
	}
}

// took fails unless a span is what was wanted, or up to slack more.
func (w *world) took(what string, got, want, slack time.Duration) {
	w.t.Helper()
	if got < want || got > want+slack {
		w.t.Errorf("%s took %s, want %s and at most %s more\n%s", what, got, want, slack, w.story())
	}
}

func TestRenewalWithNewKey(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	took := w.until(10*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub, 3*time.Second) // a lag of 5 s, noticed within 1.2 s
	w.until(10*time.Minute, w.steady)
	w.stands(w.record(tlsa.EE, second))
}

func TestRenewalUnderEachScheme(t *testing.T) {
	for _, scheme := range []string{"ee", "ta", "ee+ta", "ee+standby", "ta+standby"} {
		t.Run(scheme, func(t *testing.T) {
			w, issuer, _ := rolled(t, scheme)
			other := w.ca("Issuer B", nil)
			for _, by := range []*ca{issuer, other, issuer, issuer} {
				w.until(30*time.Minute, w.done(w.renew(by)))
			}
			as, err := w.policy.Lineages["mx1"].Needs(w.chains[w.live()])
			if err != nil {
				t.Fatal(err)
			}
			w.stands(as...)
		})
	}
}

// A pair that a person hands in goes the same way, back to an older one too.
func TestRollback(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(5 * time.Second)
	w.offerTo("mx1", first, true)
	took := w.until(time.Minute, w.swapped(first))
	w.took("the way back inside the retire window", took, 0, time.Second)
	w.until(5*time.Minute, w.steady)
	w.stands(w.record(tlsa.EE, first))
}

// TestSchemeNarrowedInTheWait drops ta from the scheme while a successor under a
// new issuer waits: what it needs of the combination that stands stays, so that
// the wait goes on and does not start again.
func TestSchemeNarrowedInTheWait(t *testing.T) {
	w, _, first := rolled(t, "ee+ta")
	second := w.issue(w.ca("Issuer B", w.ca("Root B", nil)), leaf{})
	for tlsa.Compare(w.record(tlsa.TA, second), w.record(tlsa.TA, first)) < 0 { // the first in order is kept by the live chain, the other would leave
		second = w.issue(w.ca("Issuer B", w.ca("Root B", nil)), leaf{})
	}
	w.offer(second)
	begin := w.now
	w.run(20 * time.Second)
	w.scheme("ee")
	w.until(10*time.Minute, w.swapped(second))
	if took := w.now.Sub(begin); took > ipub+10*time.Second {
		t.Errorf("the wait took %s, and is %s\n%s", took, ipub, w.story())
	}
	w.until(10*time.Minute, w.done(second))
	w.stands(w.record(tlsa.EE, second))
}

// TestTakenOutAfterOurOwnWrite takes the live record out a moment after we wrote
// to the zone: what is remembered of the provider's copy is not believed then.
func TestTakenOutAfterOurOwnWrite(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(w.record(tlsa.EE, second)) })
	took := w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, second)) })
	if limit := w.policy.Timing.Look + 10*time.Second; took > limit {
		t.Errorf("published again after %s, want %s at most\n%s", took, limit, w.story())
	}
}
