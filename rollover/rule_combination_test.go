package rollover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.7: parameter combinations.

// A first CA certificate after a self-signed one: 2 1 1 is held back until the
// old chain is retired (RFC 7671, section 8.2).
func TestTrustAnchorIsHeldBackUntilTheSelfSignedChainIsGone(t *testing.T) {
	w := sim.NewWorld(t)
	first := w.Issue(nil, sim.Leaf{})
	w.Serving("mx1", first)
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Scheme("ee+ta")
	second := w.Renew(w.CA("Issuer A", nil))
	w.Until(10*time.Minute, func() bool {
		if w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) && w.Live() == first {
			t.Fatalf("2 1 1 stands while the self-signed chain is live\n%s", w.Story())
		}
		return w.Live() == second
	})
	w.Run(5 * time.Second)
	if !w.Waits(rollover.CodeCombinationHeld) {
		t.Errorf("why 2 1 1 does not stand is not said\n%s", w.Story())
	}
	w.Until(5*time.Minute, func() bool { return w.Steady() && w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) })
	w.Stands(w.Record(tlsa.EE, second), w.Record(tlsa.TA, second))
}

// Where the scheme asks for 2 1 1 alone and the live chain has no CA, the 3 1 1 of
// both chains carries it over and leaves afterwards.
func TestBridge(t *testing.T) {
	w := sim.NewWorld(t)
	first := w.Issue(nil, sim.Leaf{})
	w.Serving("mx1", first)
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Scheme("ta")
	second := w.Renew(w.CA("Issuer A", nil))
	w.Until(10*time.Minute, w.Swapped(second))
	w.Until(10*time.Minute, func() bool { return w.Steady() && w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) })
	w.Stands(w.Record(tlsa.TA, second))
}

// A combination of ours that the successor cannot match is taken out whole,
// before the swap.
func TestCombinationThatTheSuccessorCannotMatchIsTakenOut(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	first := w.Issue(issuer, sim.Leaf{})
	w.Serving("mx1", first)
	whole := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA256}
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(whole, first)) })
	w.Everywhere()
	w.Until(time.Minute, func() bool { return w.Live() == first })
	w.Freeze(time.Time{}) // keep 3 0 1 from leaving as surplus
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.HasParams(whole) || w.Live() == second {
		t.Fatalf("a freeze was not obeyed\n%s", w.Story())
	}
	w.Thaw()
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
}

// One that it cannot match yet, as its certificate begins later, stays.
func TestCombinationStaysForASuccessorThatIsNotValidYet(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee+ta")
	second := w.Issue(issuer, sim.Leaf{Begins: w.Now.Add(10 * time.Minute)})
	w.Offer(second)
	stood := true
	w.Until(15*time.Minute, func() bool {
		stood = stood && w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.TA, first))
		return w.Live() == second
	})
	if !stood {
		t.Errorf("it was taken out\n%s", w.Story())
	}
}

// It stands in the way of the swap, so it does not wait, as what is retired does, for
// an address elsewhere that is out of sight.
func TestHopelessCombinationDoesNotWaitForAnAddressOutOfSight(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	first := w.Issue(issuer, sim.Leaf{})
	other := &sim.Node{Remote: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Serving("mx1", first)
	whole := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA256}
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(whole, first)) })
	w.Everywhere()
	w.Until(time.Minute, func() bool { return w.Live() == first })
	w.Freeze(time.Time{}) // keep 3 0 1 from leaving as surplus
	w.Run(time.Minute)
	other.Unseen = true
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	w.Thaw()
	w.Until(10*time.Minute, w.Swapped(second))
	if w.Zone[sim.Owner25(t)].RRset.HasParams(whole) {
		t.Errorf("swapped beside a combination that the successor fails\n%s", w.Story())
	}
}

// Nor is it taken out while a chain elsewhere is accepted by it alone.
func TestHopelessCombinationThatAnotherChainNeedsStays(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee+ta")
	w.Weak = true // the other chain matches 2 1 1, and not 3 1 1
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = &sim.Node{Served: w.Issue(issuer, sim.Leaf{}), Remote: true, Stuck: true}
	w.Run(time.Minute)
	w.Scheme("ee")
	second := w.Renew(w.CA("Issuer B", nil))
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.TA, first)) || w.Live() == second || !w.Waits(rollover.CodeStillNeeded) {
		t.Errorf("taken out, swapped, or nobody was told\n%s", w.Story())
	}
}

func TestForeignCombinationNeedsAPerson(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	anchor := w.Record(tlsa.TA, first)
	w.Foreign[anchor] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(anchor) })
	w.Run(2 * time.Minute)
	second := w.Renew(w.CA("Issuer B", nil)) // another trust anchor, which our scheme does not ask for
	w.Run(5 * time.Minute)
	if w.Live() == second || !w.Waits(rollover.CodeForeignCombo) || !w.Warns(rollover.CodeForeignCombo) {
		t.Fatalf("swapped, or nobody was told\n%s", w.Story())
	}
	delete(w.Foreign, anchor)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(anchor) })
	took := w.Until(5*time.Minute, w.Swapped(second))
	if took < sim.Ipub {
		t.Errorf("swapped %s after it was taken out: caches hold it\n%s", took, w.Story())
	}
}

// A record that no client can use refuses nobody, so that one of ours beside it is a new
// combination, and needs the evidence of one; a renewal does not wait for it.
func TestUnusableRecordBringsNoCombination(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	first := w.Issue(issuer, sim.Leaf{})
	other := &sim.Node{Remote: true, Stuck: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Serving("mx1", first)
	other.Served = w.Issue(issuer, sim.Leaf{})
	short := tlsa.Association{Params: tlsa.EE, Data: "abcd"}
	w.Foreign[short] = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, short) })
	w.Everywhere()
	w.ForgetCaches()
	w.Run(5 * time.Minute)
	w.Stands(short)
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Stands(short)
	other.Served = second
	w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
}

func TestForeignRecordsAreNeverTouched(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	theirs := w.KeyRecord(w.NewKey())
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Run(time.Minute)
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second), theirs)
}

// A new scheme comes in on evidence, and the old one's records leave.
func TestChangeOfScheme(t *testing.T) {
	for _, tt := range [][2]string{{"ee", "ee+ta"}, {"ee+ta", "ee"}, {"ee", "ta"}, {"ta", "ee"}} {
		t.Run(tt[0]+" to "+tt[1], func(t *testing.T) {
			w, _, first := sim.Rolled(t, tt[0])
			w.Scheme(tt[1])
			as, err := w.Policy.Lineages["mx1"].Needs(w.Chains[first])
			if err != nil {
				t.Fatal(err)
			}
			w.Until(3*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Same(tlsa.NewRRset(0, as...)) })
		})
	}
}

func TestNewCombinationWaitsForEvidence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		amiss func(w *sim.World)
		mend  func(w *sim.World)
		code  rollover.Code
	}{
		{"an address is out of sight", func(w *sim.World) { w.Node().Unseen = true }, func(w *sim.World) { w.Node().Unseen = false }, rollover.CodeEndpointUnseen},
		{"an address has no TLS", func(w *sim.World) { w.Node().Served = "" }, func(w *sim.World) { w.Node().Served = w.Live() }, rollover.CodeNoTLS},
		{"the default chain cannot match", func(w *sim.World) { w.Node().Bare = w.Issue(nil, sim.Leaf{}) }, func(w *sim.World) { w.Node().Bare = "" }, rollover.CodeCombinationHeld},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := sim.Rolled(t, "ee")
			w.Careless = true
			tt.amiss(w)
			w.Run(5 * time.Minute)
			w.Scheme("ee+ta")
			w.Run(3 * time.Minute)
			if w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) || !w.Waits(tt.code) {
				t.Fatalf("2 1 1 came in, or does not wait for %s\n%s", tt.code, w.Story())
			}
			tt.mend(w)
			w.Until(10*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) })
		})
	}
}

func TestIssuersPublishedAhead(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee+ta")
	next := w.CA("Issuer B", nil)
	second := w.Issue(next, sim.Leaf{})
	w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = []tlsa.Association{w.Record(tlsa.TA, second)} })
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.TA, second)) })
	w.Run(3 * time.Minute)
	w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.TA, first), w.Record(tlsa.TA, second))
	w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = nil })
	w.Until(3*time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.TA, second)) })
}

// An address that was last seen with a chain which would not match, and is out
// of sight since, may present it still.
func TestChainOfAnAddressOutOfSightCounts(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	theirs := w.Issue(nil, sim.Leaf{})
	other := &sim.Node{Served: theirs, Remote: true, Stuck: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Careless = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, theirs)) })
	w.Run(2 * time.Minute)
	other.Unseen = true
	w.Run(45 * time.Second) // longer than the window
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Run(10 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Denial() {
		t.Fatalf("published without a record for it\n%s", w.Story())
	}
	other.Unseen, other.Served = false, first
	w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
}

// A repair brings no combination that a sibling's chain fails, where a record of
// one that stands is enough.
func TestRepairBringsNoMoreThanItNeeds(t *testing.T) {
	w := sim.NewWorld(t)
	w.Scheme("ta")
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	a, b := w.Issue(w.CA("Issuer A", nil), sim.Leaf{}), w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
	w.Serving("mx1", a)
	w.Serving("rsa", b)
	w.Until(time.Minute, w.Steady)
	w.Careless = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.TA, b)) })
	w.Everywhere()
	w.Run(time.Minute)
	w.Stands(w.Record(tlsa.TA, a), w.Record(tlsa.TA, b))
}

// A repair takes no match away: a combination that mends what one address presents comes
// with all that siblings' chains need of it, or is held back like any other new one.
func TestRepairTakesNoMatchAway(t *testing.T) {
	w := sim.NewWorld(t)
	w.Scheme("ee+ta")
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25", "192.0.2.2:25", "192.0.2.3:25")
	issuer := w.CA("Issuer A", nil)
	a, b := w.Issue(issuer, sim.Leaf{}), w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
	w.Serving("mx1", a)
	w.Serving("rsa", b)
	second, third := w.Hosts["rsa"].Nodes["192.0.2.2:25"], w.Hosts["rsa"].Nodes["192.0.2.3:25"]
	second.Remote, third.Remote = true, true
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Careless = true
	third.Served = w.Issue(nil, sim.Leaf{}) // matches no 2 1 1, so that none comes in
	theirs := w.Record(tlsa.EE, third.Served)
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset {
		return s.With(theirs).Without(w.Record(tlsa.TA, a), w.Record(tlsa.TA, b))
	})
	w.Everywhere()
	w.Run(time.Minute)
	second.Served = w.Issue(issuer, sim.Leaf{}) // 2 1 1 of A would mend that, and refuse b and the third
	w.Run(time.Minute)
	w.Stands(w.Record(tlsa.EE, a), w.Record(tlsa.EE, b), theirs)
	third.Served = b
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.TA, a)) })
	w.Stands(w.Record(tlsa.EE, a), w.Record(tlsa.EE, b), w.Record(tlsa.TA, a), w.Record(tlsa.TA, b), theirs)
}

// Two lineages at one name: each combination matches whichever chain a client gets.
func TestTwoAlgorithmsAtOneName(t *testing.T) {
	w := sim.NewWorld(t)
	w.Scheme("ee+ta")
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	a, b := w.CA("Issuer A", nil), w.CA("Issuer B", nil)
	w.Serving("mx1", w.Issue(a, sim.Leaf{}))
	w.Serving("rsa", w.Issue(b, sim.Leaf{}))
	both := func() bool { return w.Steady() && w.State.Lineages["rsa"].Phase == rollover.Steady }
	w.Until(time.Minute, both)
	w.Run(2 * time.Minute)
	ecdsa, rsa := w.Issue(b, sim.Leaf{}), w.Issue(a, sim.Leaf{})
	w.Offer(ecdsa)
	w.OfferTo("rsa", rsa, false)
	w.Until(10*time.Minute, func() bool { return w.Live() == ecdsa && w.State.Lineages["rsa"].Live == rsa && both() })
	w.Stands(w.Record(tlsa.EE, ecdsa), w.Record(tlsa.TA, ecdsa), w.Record(tlsa.EE, rsa), w.Record(tlsa.TA, rsa))
}

// At the fully expanded name of a host that is an alias clients look for that name in the
// certificate (RFC 7672, section 3.2.2): a 2 1 1 there would refuse one without it.
func TestAnchorStaysAwayFromANameThatTheCertificateIsNotFor(t *testing.T) {
	const host = "host.example.org"
	for _, tt := range []struct {
		names []string
		want  bool
	}{{[]string{sim.MX}, false}, {[]string{sim.MX, host}, true}} {
		w := sim.NewWorld(t)
		w.Scheme("ee+ta")
		also := sim.OwnerOf(t, 25, host)
		p := w.Policy.Lineages["mx1"]
		p.Endpoints = slices.Clone(p.Endpoints)
		first := w.Issue(w.CA("Issuer A", nil), sim.Leaf{Names: tt.names})
		w.Serving("mx1", first)
		p.Endpoints[0].Also = []tlsa.Owner{also}
		w.Policy.Lineages["mx1"] = p
		w.Run(10 * time.Minute)
		got := w.Zone[also].RRset
		if !got.Has(w.Record(tlsa.EE, first)) || got.HasParams(tlsa.TA) != tt.want {
			t.Errorf("certificate for %v: %v at %s\n%s", tt.names, got, also, w.Story())
		}
	}
}
