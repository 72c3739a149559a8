package rollover

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.7: parameter combinations.

// A first CA certificate after a self-signed one: 2 1 1 is held back until the
// old chain is retired (RFC 7671, section 8.2).
func TestTrustAnchorIsHeldBackUntilTheSelfSignedChainIsGone(t *testing.T) {
	w := newWorld(t)
	first := w.issue(nil, leaf{})
	w.serving("mx1", first)
	w.until(time.Minute, w.steady)
	w.run(2 * time.Minute)
	w.scheme("ee+ta")
	second := w.renew(w.ca("Issuer A", nil))
	w.until(10*time.Minute, func() bool {
		if w.zone[owner25(t)].rrset.HasParams(tlsa.TA) && w.live() == first {
			t.Fatalf("2 1 1 stands while the self-signed chain is live\n%s", w.story())
		}
		return w.live() == second
	})
	w.run(5 * time.Second)
	if !w.waits(CodeCombinationHeld) {
		t.Errorf("why 2 1 1 does not stand is not said\n%s", w.story())
	}
	w.until(5*time.Minute, func() bool { return w.steady() && w.zone[owner25(t)].rrset.HasParams(tlsa.TA) })
	w.stands(w.record(tlsa.EE, second), w.record(tlsa.TA, second))
}

// Where the scheme asks for 2 1 1 alone and the live chain has no CA, the 3 1 1 of
// both chains carries it over and leaves afterwards.
func TestBridge(t *testing.T) {
	w := newWorld(t)
	first := w.issue(nil, leaf{})
	w.serving("mx1", first)
	w.until(time.Minute, w.steady)
	w.run(2 * time.Minute)
	w.scheme("ta")
	second := w.renew(w.ca("Issuer A", nil))
	w.until(10*time.Minute, w.swapped(second))
	w.until(10*time.Minute, func() bool { return w.steady() && w.zone[owner25(t)].rrset.HasParams(tlsa.TA) })
	w.stands(w.record(tlsa.TA, second))
}

// A combination of ours that the successor cannot match is taken out whole,
// before the swap.
func TestCombinationThatTheSuccessorCannotMatchIsTakenOut(t *testing.T) {
	w := newWorld(t)
	issuer := w.ca("Issuer A", nil)
	first := w.issue(issuer, leaf{})
	w.serving("mx1", first)
	whole := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA256}
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(whole, first)) })
	w.everywhere()
	w.until(time.Minute, func() bool { return w.live() == first })
	w.freeze(time.Time{}) // keep 3 0 1 from leaving as surplus
	second := w.renew(issuer)
	w.run(5 * time.Minute)
	if !w.zone[owner25(t)].rrset.HasParams(whole) || w.live() == second {
		t.Fatalf("a freeze was not obeyed\n%s", w.story())
	}
	w.thaw()
	w.until(10*time.Minute, w.done(second))
	w.stands(w.record(tlsa.EE, second))
}

func TestForeignCombinationNeedsAPerson(t *testing.T) {
	w, _, first := rolled(t, "ee")
	anchor := w.record(tlsa.TA, first)
	w.foreign[anchor] = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(anchor) })
	w.run(2 * time.Minute)
	second := w.renew(w.ca("Issuer B", nil)) // another trust anchor, which our scheme does not ask for
	w.run(5 * time.Minute)
	if w.live() == second || !w.waits(CodeForeignCombo) || !w.warns(CodeForeignCombo) {
		t.Fatalf("swapped, or nobody was told\n%s", w.story())
	}
	delete(w.foreign, anchor)
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(anchor) })
	took := w.until(5*time.Minute, w.swapped(second))
	if took < ipub {
		t.Errorf("swapped %s after it was taken out: caches hold it\n%s", took, w.story())
	}
}

func TestForeignRecordsAreNeverTouched(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	theirs := w.keyRecord(w.newKey())
	w.foreign[theirs] = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.run(time.Minute)
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	w.stands(w.record(tlsa.EE, second), theirs)
}

// A new scheme comes in on evidence, and the old one's records leave.
func TestChangeOfScheme(t *testing.T) {
	for _, tt := range [][2]string{{"ee", "ee+ta"}, {"ee+ta", "ee"}, {"ee", "ta"}, {"ta", "ee"}} {
		t.Run(tt[0]+" to "+tt[1], func(t *testing.T) {
			w, _, first := rolled(t, tt[0])
			w.scheme(tt[1])
			as, err := w.policy.Lineages["mx1"].Needs(w.chains[first])
			if err != nil {
				t.Fatal(err)
			}
			w.until(3*time.Minute, func() bool { return w.zone[owner25(t)].rrset.Same(tlsa.NewRRset(0, as...)) })
		})
	}
}

func TestNewCombinationWaitsForEvidence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		amiss func(w *world)
		mend  func(w *world)
		code  Code
	}{
		{"an address is out of sight", func(w *world) { w.node().unseen = true }, func(w *world) { w.node().unseen = false }, CodeEndpointUnseen},
		{"an address has no TLS", func(w *world) { w.node().served = "" }, func(w *world) { w.node().served = w.live() }, CodeNoTLS},
		{"the default chain cannot match", func(w *world) { w.node().bare = w.issue(nil, leaf{}) }, func(w *world) { w.node().bare = "" }, CodeCombinationHeld},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := rolled(t, "ee")
			w.careless = true
			tt.amiss(w)
			w.run(5 * time.Minute)
			w.scheme("ee+ta")
			w.run(3 * time.Minute)
			if w.zone[owner25(t)].rrset.HasParams(tlsa.TA) || !w.waits(tt.code) {
				t.Fatalf("2 1 1 came in, or does not wait for %s\n%s", tt.code, w.story())
			}
			tt.mend(w)
			w.until(10*time.Minute, func() bool { return w.zone[owner25(t)].rrset.HasParams(tlsa.TA) })
		})
	}
}

func TestIssuersPublishedAhead(t *testing.T) {
	w, _, first := rolled(t, "ee+ta")
	next := w.ca("Issuer B", nil)
	second := w.issue(next, leaf{})
	w.configure(func(p *LineagePolicy) { p.Issuers = []tlsa.Association{w.record(tlsa.TA, second)} })
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.TA, second)) })
	w.run(3 * time.Minute)
	w.stands(w.record(tlsa.EE, first), w.record(tlsa.TA, first), w.record(tlsa.TA, second))
	w.configure(func(p *LineagePolicy) { p.Issuers = nil })
	w.until(3*time.Minute, func() bool { return !w.zone[owner25(t)].rrset.Has(w.record(tlsa.TA, second)) })
}

// An address that was last seen with a chain which would not match, and is out
// of sight since, may present it still.
func TestChainOfAnAddressOutOfSightCounts(t *testing.T) {
	w, _, first := rolled(t, "ee")
	theirs := w.issue(nil, leaf{})
	other := &node{served: theirs, remote: true, stuck: true}
	w.hosts["mx1"].nodes["192.0.2.2:25"] = other
	w.careless = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(tlsa.EE, theirs)) })
	w.run(2 * time.Minute)
	other.unseen = true
	w.run(45 * time.Second) // longer than the window
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.run(10 * time.Minute)
	if !w.zone[owner25(t)].rrset.Denial() {
		t.Fatalf("published without a record for it\n%s", w.story())
	}
	other.unseen, other.served = false, first
	w.until(5*time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) })
}

// A repair brings no combination that a sibling's chain fails, where a record of
// one that stands is enough.
func TestRepairBringsNoMoreThanItNeeds(t *testing.T) {
	w := newWorld(t)
	w.scheme("ta")
	w.policy.Lineages["rsa"] = w.policy.Lineages["mx1"]
	w.hosts["mx1"].algorithm = "ecdsa"
	w.hosts["rsa"] = newHost("rsa", "192.0.2.1:25")
	a, b := w.issue(w.ca("Issuer A", nil), leaf{}), w.issue(w.ca("Issuer B", nil), leaf{})
	w.serving("mx1", a)
	w.serving("rsa", b)
	w.until(time.Minute, w.steady)
	w.careless = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.TA, b)) })
	w.everywhere()
	w.run(time.Minute)
	w.stands(w.record(tlsa.TA, a), w.record(tlsa.TA, b))
}

// Two lineages at one name: each combination matches whichever chain a client gets.
func TestTwoAlgorithmsAtOneName(t *testing.T) {
	w := newWorld(t)
	w.scheme("ee+ta")
	w.policy.Lineages["rsa"] = w.policy.Lineages["mx1"]
	w.hosts["mx1"].algorithm = "ecdsa"
	w.hosts["rsa"] = newHost("rsa", "192.0.2.1:25")
	a, b := w.ca("Issuer A", nil), w.ca("Issuer B", nil)
	w.serving("mx1", w.issue(a, leaf{}))
	w.serving("rsa", w.issue(b, leaf{}))
	both := func() bool { return w.steady() && w.state.Lineages["rsa"].Phase == Steady }
	w.until(time.Minute, both)
	w.run(2 * time.Minute)
	ecdsa, rsa := w.issue(b, leaf{}), w.issue(a, leaf{})
	w.offer(ecdsa)
	w.offerTo("rsa", rsa, false)
	w.until(10*time.Minute, func() bool { return w.live() == ecdsa && w.state.Lineages["rsa"].Live == rsa && both() })
	w.stands(w.record(tlsa.EE, ecdsa), w.record(tlsa.TA, ecdsa), w.record(tlsa.EE, rsa), w.record(tlsa.TA, rsa))
}
