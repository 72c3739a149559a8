package rollover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.5: every guard of the swap holds now. In each case all else is ripe,
// one thing is amiss, and the swap follows as soon as it is mended.
func TestGuardsOfTheSwap(t *testing.T) {
	everyServer := func(w *sim.World, view func(*rollover.ServerView)) {
		for _, s := range w.Servers {
			s.View = view
		}
	}
	for _, tt := range []struct {
		name  string
		code  rollover.Code
		amiss func(w *sim.World, next tlsa.ChainID)
		mend  func(w *sim.World, next tlsa.ChainID)
	}{
		{name: "frozen", code: rollover.CodeFrozen,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Freeze(time.Time{}) },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Thaw() }},
		{name: "frozen until", code: rollover.CodeFrozen,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Freeze(w.Now.Add(10 * time.Minute)) },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Freeze(w.Now.Add(time.Second)) }},
		{name: "the stash", code: rollover.CodeStashUnreadable,
			amiss: func(w *sim.World, next tlsa.ChainID) { w.Hosts["mx1"].Stash[next] = "key and leaf do not fit" },
			mend:  func(w *sim.World, next tlsa.ChainID) { w.Hosts["mx1"].Stash[next] = "" }},
		{name: "a server is silent", code: rollover.CodeServerUnknown,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Servers[0].Hidden = true },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Servers[0].Hidden = false }},
		{name: "the servers are not known", code: rollover.CodeServersUnknown,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.NSErr = "parent: SERVFAIL" },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.NSErr = "" }},
		{name: "bogus", code: rollover.CodeZoneBogus,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Security = rollover.Bogus },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Security = rollover.Secure }},
		{name: "indeterminate", code: rollover.CodeZoneIndeterminate,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Security = rollover.Indeterminate },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Security = rollover.Secure }},
		{name: "insecure, and records stand", code: rollover.CodeZoneInsecure,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.Security = rollover.Insecure },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.Policy.AllowInsecure["example.org."] = true }},
		{name: "a signature ends within the hour", code: rollover.CodeSignatureEnds,
			amiss: func(w *sim.World, _ tlsa.ChainID) {
				everyServer(w, func(v *rollover.ServerView) { v.SignedUntil = w.Now.Add(59 * time.Minute) })
			},
			mend: func(w *sim.World, _ tlsa.ChainID) { everyServer(w, nil) }},
		{name: "a server does not sign", code: rollover.CodeUnsigned,
			amiss: func(w *sim.World, _ tlsa.ChainID) {
				w.Servers[1].View = func(v *rollover.ServerView) { v.Unsigned = true }
			},
			mend: func(w *sim.World, _ tlsa.ChainID) { everyServer(w, nil) }},
		{name: "the copy cannot be read", code: rollover.CodeCopyUnknown,
			amiss: func(w *sim.World, _ tlsa.ChainID) { w.CopyErr = "api: 503" },
			mend:  func(w *sim.World, _ tlsa.ChainID) { w.CopyErr = "" }},
		{name: "an address family cannot be tested", code: rollover.CodeFamilyUntested,
			amiss: func(w *sim.World, _ tlsa.ChainID) {
				w.Servers[1].View = func(v *rollover.ServerView) { v.Untested = true }
			},
			mend: func(w *sim.World, _ tlsa.ChainID) { w.Servers[1].Name = w.Servers[0].Name }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			w.Run(30 * time.Second)
			tt.amiss(w, second)
			w.Run(3 * time.Minute)
			if w.Live() == second {
				t.Fatalf("swapped all the same\n%s", w.Story())
			}
			if !w.Waits(tt.code) {
				t.Errorf("does not wait for %s\n%s", tt.code, w.Story())
			}
			tt.mend(w, second)
			w.Until(3*time.Minute, w.Done(second))
		})
	}
}

func TestSwapNeedsThreeSpacedLooks(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Provider, w.Careless = "", true // only people write here
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Everywhere()
	w.Run(5 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{})
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset {
		return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
	})
	w.Everywhere()
	w.Offer(second) // no answer that may be held fails it: nothing but the looks is waited for
	w.Run(time.Second)
	if !w.Waits(rollover.CodeNotEverywhere) {
		t.Errorf("does not wait for more looks\n%s", w.Story())
	}
	took := time.Second + w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 2*rollover.Spacing(time.Minute), 3*time.Second)
}

func TestNotYetValidPairWaits(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Issue(issuer, sim.Leaf{Begins: w.Now.Add(5 * time.Minute)})
	w.Offer(second)
	w.Run(4 * time.Minute)
	if !w.Waits(rollover.CodeNotYetValid) {
		t.Errorf("does not wait for it\n%s", w.Story())
	}
	w.Took("the swap", w.Until(5*time.Minute, w.Swapped(second)), time.Minute, time.Second)
}

func TestNamesCountWhereTrustAnchorsStand(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.TA, first)) }) // somebody's
	w.Foreign[w.Record(tlsa.TA, first)] = true
	w.Run(2 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Names: []string{"other.example.org"}})
	w.Offer(second)
	w.Run(5 * time.Minute)
	if w.Live() == second || !w.Waits(rollover.CodeNameMissing) {
		t.Errorf("a pair for another name, where a 2 1 1 stands\n%s", w.Story())
	}
}

// Two lineages at one endpoint are swapped one after the other (RFC 7671, section 8.4).
func TestSiblingsAreSwappedOneAfterTheOther(t *testing.T) {
	w := sim.NewWorld(t)
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Serving("rsa", w.Issue(issuer, sim.Leaf{}))
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Node().Slow = 8 * time.Second
	a, b := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{})
	w.OfferTo("mx1", a, false)
	w.OfferTo("rsa", b, false)
	together := false
	w.Until(5*time.Minute, func() bool {
		together = together || w.Lineage().Swapping != nil && w.State.Lineages["rsa"].Swapping != nil
		return w.Live() == a && w.State.Lineages["rsa"].Live == b
	})
	if together {
		t.Error("swapped together")
	}
}

// DESIGN 4.6: owner names that nobody listed.
func TestUnlistedOwner(t *testing.T) {
	imaps := sim.OwnerOf(t, 993, sim.MX)
	for _, tt := range []struct {
		name  string
		mend  func(w *sim.World, next tlsa.ChainID)
		later bool // caches hold what was there
	}{
		{name: "ignored", mend: func(w *sim.World, _ tlsa.ChainID) {
			w.Configure(func(p *rollover.LineagePolicy) { p.Ignore = map[tlsa.Owner]bool{imaps: true} })
		}},
		{name: "its host is ignored", mend: func(w *sim.World, _ tlsa.ChainID) {
			w.Configure(func(p *rollover.LineagePolicy) { p.Ignore = map[tlsa.Owner]bool{sim.MX + ".": true} })
		}},
		{name: "gets the record", later: true, mend: func(w *sim.World, next tlsa.ChainID) {
			w.Edit(imaps, func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, next)) })
		}},
		{name: "is taken out", later: true, mend: func(w *sim.World, _ tlsa.ChainID) {
			w.Edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
		}},
		{name: "becomes an endpoint", later: true, mend: func(w *sim.World, _ tlsa.ChainID) {
			w.Configure(func(p *rollover.LineagePolicy) {
				p.Endpoints = append(p.Endpoints, rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: imaps})
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			w.Edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first)) })
			w.Everywhere()
			w.Unlisted = map[tlsa.Owner]string{}
			second := w.Renew(issuer)
			w.Run(5 * time.Minute)
			if w.Live() == second || !w.Waits(rollover.CodeUnlistedOwner) {
				t.Fatalf("swapped past %s\n%s", imaps, w.Story())
			}
			tt.mend(w, second)
			took := w.Until(5*time.Minute, w.Swapped(second))
			if tt.later && took < sim.Ipub {
				t.Errorf("swapped after %s: caches hold what was there\n%s", took, w.Story())
			}
		})
	}
}

func TestUnlistedOwnerThatNobodyCanTellOf(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Unlisted = map[tlsa.Owner]string{sim.OwnerOf(t, 465, sim.MX): "resolver: timeout"}
	second := w.Renew(issuer)
	w.Run(3 * time.Minute)
	if w.Live() == second || !w.Waits(rollover.CodeUnlistedUnknown) {
		t.Fatalf("swapped\n%s", w.Story())
	}
	o := w.Observe()
	o.Owners, o.Unlisted = nil, nil // not looked at in this pass
	if _, plan := rollover.Next(w.State, o, w.Policy, w.Now); !slices.ContainsFunc(plan.Waiting["mx1"], func(r rollover.Reason) bool { return r.Code == rollover.CodeUnlistedUnknown }) {
		t.Errorf("what was not looked at was taken for absent: %v", plan.Waiting)
	}
	w.Unlisted = map[tlsa.Owner]string{}
	w.Until(time.Minute, w.Swapped(second))
}

func TestUnlistedOwnerOfAnotherPairDoesNotMatter(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Edit(sim.OwnerOf(t, 465, sim.MX), func(tlsa.RRset) tlsa.RRset {
		return tlsa.NewRRset(time.Minute, w.KeyRecord(w.NewKey()))
	})
	w.Everywhere()
	second := w.Renew(issuer)
	w.Until(2*time.Minute, w.Swapped(second))
}

// DESIGN 4.9: renewals that overtake each other.

func TestSupersededBeforeAnyServerShowedIt(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	for _, s := range w.Servers {
		s.Lag = 20 * time.Second
	}
	second := w.Renew(issuer)
	w.Run(10 * time.Second)
	third := w.Renew(issuer)
	w.Run(time.Second)
	if l := w.Lineage(); l.Successor != third || l.Queued != "" {
		t.Errorf("successor %s, queued %s, want %s alone", l.Successor.Short(), l.Queued.Short(), third.Short())
	}
	w.Until(10*time.Minute, w.Done(third))
	if w.Swaps != 1 {
		t.Errorf("%d swaps, want 1", w.Swaps)
	}
	_ = second
	w.Stands(w.Record(tlsa.EE, third)) // the record of the second has left
}

func TestPublishedSuccessorKeepsItsPlace(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(30 * time.Second)
	third, fourth := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{Begins: w.Now.Add(-time.Minute)})
	w.Offer(third)
	w.Run(5 * time.Second)
	w.Offer(fourth)
	w.Run(5 * time.Second)
	if l := w.Lineage(); l.Successor != second || l.Queued != fourth {
		t.Fatalf("successor %s, queued %s, want %s and %s\n%s", l.Successor.Short(), l.Queued.Short(), second.Short(), fourth.Short(), w.Story())
	}
	if !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, fourth)) {
		t.Errorf("the queued pair is not published at once\n%s", w.Story())
	}
	want := rollover.Reason{Code: rollover.CodeQueued, About: fourth.Short(), Text: fmt.Sprintf("%s waits until %s, which goes first, is live", fourth.Short(), second.Short())}
	if rs := w.Lineage().Waiting; rs[0].Code == rollover.CodeQueued || !slices.Contains(rs, want) {
		t.Errorf("waits for %v, want %v among it, and not first", rs, want)
	}
	w.Until(2*time.Minute, w.Swapped(second))
	w.Run(time.Second)
	if w.Waits(rollover.CodeQueued) {
		t.Errorf("still queued\n%s", w.Story())
	}
	w.Until(2*time.Minute, w.Done(fourth))
	w.Stands(w.Record(tlsa.EE, fourth))
}

func TestRenewalsFasterThanTheWaitDoNotStarveTheSwap(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	for range 30 {
		w.Renew(issuer)
		w.Run(25 * time.Second)
	}
	if w.Swaps < 8 { // 12.5 minutes, and a wait of 75 s for each
		t.Errorf("%d swaps\n%s", w.Swaps, w.Story())
	}
}

func TestSameKeyReplacesTheSuccessorAndEmptiesTheQueue(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	key := w.NewKey()
	w.Offer(w.Issue(issuer, sim.Leaf{Key: key}))
	w.Run(30 * time.Second)
	w.Renew(issuer)
	w.Run(5 * time.Second)
	again := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(again)
	w.Run(time.Second)
	if l := w.Lineage(); l.Successor != again || l.Queued != "" {
		t.Errorf("successor %s, queued %s, want %s alone", l.Successor.Short(), l.Queued.Short(), again.Short())
	}
	w.Until(3*time.Minute, w.Done(again))
}

func TestLivePairStagedAgainDropsWhatIsOnItsWay(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Renew(issuer)
	w.Run(30 * time.Second)
	w.Renew(issuer)
	w.Run(5 * time.Second)
	w.OfferTo("mx1", first, true)
	w.Until(5*time.Minute, w.Done(first))
	w.Stands(w.Record(tlsa.EE, first))
}

func TestSuccessorThatEndedGivesItsPlace(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Offer(w.Issue(issuer, sim.Leaf{Ends: w.Now.Add(50 * time.Second)}))
	w.Run(30 * time.Second)
	third := w.Renew(issuer)
	w.Run(25 * time.Second)
	if l := w.Lineage(); l.Successor != third {
		t.Errorf("successor %s, want %s\n%s", l.Successor.Short(), third.Short(), w.Story())
	}
	w.Until(5*time.Minute, w.Done(third))
}

func TestRefusedPairs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		scheme string
		pair   func(w *sim.World, issuer *sim.CA) tlsa.ChainID
		code   rollover.Code
	}{
		{"has ended", "ee", func(w *sim.World, issuer *sim.CA) tlsa.ChainID { return w.Issue(issuer, sim.Leaf{Ends: w.Now}) }, rollover.CodeExpired},
		{"lacks its CA", "ta", func(w *sim.World, _ *sim.CA) tlsa.ChainID { return w.Issue(nil, sim.Leaf{}) }, rollover.CodePairUnfit},
		{"is for another name", "ee+ta", func(w *sim.World, issuer *sim.CA) tlsa.ChainID {
			return w.Issue(issuer, sim.Leaf{Names: []string{"mx2.example.org"}})
		}, rollover.CodeNameMissing},
		{"is older", "ee", func(w *sim.World, issuer *sim.CA) tlsa.ChainID {
			return w.Issue(issuer, sim.Leaf{Begins: w.Now.Add(-48 * time.Hour)})
		}, rollover.CodeStagedOlder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, tt.scheme)
			w.Offer(tt.pair(w, issuer))
			w.Run(3 * time.Minute)
			if l := w.Lineage(); l.Successor != "" || l.Live != first || !w.Warns(tt.code) {
				t.Errorf("successor %s, warnings %v", l.Successor.Short(), l.Warnings)
			}
			second := w.Renew(issuer)
			w.Until(5*time.Minute, w.Done(second))
			if w.Warns(tt.code) {
				t.Errorf("the warning stays: %v", w.Lineage().Warnings)
			}
		})
	}
}

func TestRefusedPairIsTakenWhenTheConfigurationFits(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee+ta")
	second := w.Issue(nil, sim.Leaf{})
	w.Offer(second)
	w.Run(time.Minute)
	if !w.Waits(rollover.CodePairUnfit) {
		t.Fatalf("does not say why\n%s", w.Story())
	}
	w.Scheme("ee")
	w.Until(10*time.Minute, w.Done(second))
}

// DESIGN 4.10: a swap that was rolled back is held.

func TestFailedReloadGoesBackAndIsHeld(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Faults["reload"] = "postfix: fatal"
	w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
	w.Run(5 * time.Second)
	if w.Live() != first || w.Node().Served != first || !w.Waits(rollover.CodeSwapFailed) || !w.Warns(rollover.CodeSwapFailed) {
		t.Fatalf("not gone back\n%s", w.Story())
	}
	for _, want := range []string{"postfix: fatal", "the old pair is live"} {
		if !strings.Contains(w.Story(), want) {
			t.Errorf("%q is not said\n%s", want, w.Story())
		}
	}
	w.Policy.Timing.Poll, w.Policy.Timing.Look = 10*time.Minute, 10*time.Minute
	for try, again := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		w.Faults["check"] = "postfix check: fatal"
		took := w.Until(25*time.Hour, func() bool { return w.Faults["check"] == "" })
		if took < again-10*time.Minute || took > again+10*time.Minute {
			t.Errorf("try %d after %s, want %s", try+2, took, again)
		}
	}
	w.Until(25*time.Hour, w.Done(second))
	if w.Lineage().Held != nil {
		t.Error("still held")
	}
}

// A reload that failed is no success where no address of this host could tell.
func TestFailedReloadGoesBackWhereNobodyJudges(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Node().Remote = true
	w.Run(time.Minute)
	second := w.Renew(issuer)
	w.Faults["reload"] = "postfix: fatal"
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(5 * time.Second)
	if l := w.Lineage(); w.Live() != first || l.Held == nil || l.Held.Chain != second {
		t.Errorf("not gone back, or not held: %+v\n%s", l.Held, w.Story())
	}
}

func TestHeldSwapIsTriedAgain(t *testing.T) {
	for name, lift := range map[string]func(w *sim.World){
		"by an order":              func(w *sim.World) { w.Hosts["mx1"].Orders = rollover.Orders{Retry: true} },
		"on another configuration": func(w *sim.World) { w.Configure(func(p *rollover.LineagePolicy) { p.Revision = "2" }) },
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			w.Faults["check"] = "fatal"
			w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
			w.Run(10 * time.Minute)
			if w.Live() == second {
				t.Fatal("not held")
			}
			lift(w)
			w.Until(time.Minute, w.Swapped(second))
		})
	}
	t.Run("with a new pair", func(t *testing.T) {
		w, issuer, _ := sim.Rolled(t, "ee")
		w.Renew(issuer)
		w.Faults["check"] = "fatal"
		w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
		third := w.Renew(issuer)
		w.Until(5*time.Minute, w.Done(third))
	})
}

// DESIGN 4.11: expiry pressure.
func TestDeadline(t *testing.T) {
	imaps := rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: sim.OwnerOf(t, 993, sim.MX)}
	for _, tt := range []struct {
		name      string
		configure func(w *sim.World)
		forced    bool
	}{
		{"auto, SMTP with DANE-EE alone", func(*sim.World) {}, false},
		{"auto, another service", func(w *sim.World) {
			w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
		}, true},
		{"auto, MTA-STS enforced", func(w *sim.World) { w.MTASTS = map[string]rollover.Sight[bool]{"mx1": rollover.Seen(true)} }, true},
		{"auto, MTA-STS not known", func(w *sim.World) {
			w.MTASTS = map[string]rollover.Sight[bool]{"mx1": rollover.Unseen[bool]("timeout")}
		}, false},
		{"auto, a trust anchor", func(w *sim.World) { w.Scheme("ee+ta") }, true},
		{"wait", func(w *sim.World) {
			w.Configure(func(p *rollover.LineagePolicy) {
				p.Deadline, p.Endpoints = rollover.DeadlineWait, append(p.Endpoints, imaps)
			})
		}, false},
		{"swap", func(w *sim.World) {
			w.Configure(func(p *rollover.LineagePolicy) { p.Deadline = rollover.DeadlineSwap })
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := sim.NewWorld(t)
			tt.configure(w)
			issuer := w.CA("Issuer A", nil)
			end := w.Now.Add(80 * time.Minute)
			w.Serving("mx1", w.Issue(issuer, sim.Leaf{Ends: end}))
			w.Until(5*time.Minute, w.Steady)
			w.Run(5 * time.Minute)
			w.Servers[1].Stuck = true // for ever
			w.Careless, w.Forced = true, tt.forced
			second := w.Renew(issuer)
			w.Run(time.Minute)
			if w.Warns(rollover.CodeExpiresInWait) {
				t.Errorf("told of a conflict that is none yet\n%s", w.Story())
			}
			if !tt.forced {
				w.Run(end.Sub(w.Now) + time.Minute)
				if w.Live() == second || !w.Warns(rollover.CodeExpiresInWait) {
					t.Errorf("swapped, or the end was not told of\n%s", w.Story())
				}
				return
			}
			w.Until(4*time.Hour, w.Swapped(second))
			w.Took("until the forced swap it", w.Now.Sub(sim.Epoch), end.Add(-time.Hour).Sub(sim.Epoch), 2*time.Second)
			w.Run(10 * time.Second)
			if any := w.Policy.Lineages["mx1"].Scheme.TA; !any && !w.Warns(rollover.CodeCachedMismatch) && !w.Warns(rollover.CodeServedUnmatched) {
				t.Errorf("what it costs is not told\n%s", w.Story())
			}
		})
	}
}

// A server that keeps the old certificate fails each try a minute after the swap: such
// tries are counted, too.
func TestTriesThatWereInstalledAreCounted(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Policy.Timing.Poll, w.Policy.Timing.Look = 10*time.Minute, 10*time.Minute
	w.Node().Stuck = true
	second := w.Renew(issuer)
	held := func() bool { return w.Lineage().Held != nil && w.Lineage().Swapping == nil }
	w.Until(10*time.Minute, held)
	for _, pause := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		w.Took("the next try", w.Until(30*time.Hour, w.Swapped(second)), pause, time.Minute)
		if d := w.Described(); d.Held != nil {
			t.Errorf("held while it is tried again: %+v", d.Held)
		}
		w.Until(10*time.Minute, held)
	}
	w.Node().Stuck = false
	w.Until(60*time.Hour, w.Done(second))
	if w.Lineage().Held != nil {
		t.Errorf("still held\n%s", w.Story())
	}
}

// A successor that ends before it is ready never goes live: that is told at once.
func TestSuccessorThatEndsInTheWaitIsTold(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Hour; return s })
	w.Run(2 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Ends: w.Now.Add(50 * time.Minute)})
	w.Offer(second)
	w.Run(2 * time.Second)
	v, told := w.Warned(rollover.CodeExpiresInWait)
	if !told || v.About != second.Short() || !strings.HasPrefix(v.Text, "the successor "+second.Short()+" ends on "+rollover.Stamp(w.Chains[second].NotAfter())) {
		t.Errorf("got %+v\n%s", v, w.Story())
	}
	third := w.Renew(issuer)
	w.Until(3*time.Hour, w.Swapped(third))
	if w.Warns(rollover.CodeExpiresInWait) {
		t.Errorf("still told\n%s", w.Story())
	}
}

// Answers with an old TTL that nobody gives any more are reckoned with as long as they
// live, and not as if they were given until now.
func TestNoConflictAfterTheTTLWasLowered(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Hour; return s })
	w.Run(2 * time.Minute)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Minute; return s })
	w.Run(50 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Ends: w.Now.Add(40 * time.Minute)})
	w.Offer(second)
	w.Until(time.Hour, func() bool {
		if v, told := w.Warned(rollover.CodeExpiresInWait); told {
			t.Fatalf("told %q\n%s", v.Text, w.Story())
		}
		return w.Swapped(second)()
	})
}

func TestConflictIsToldAtIssueTime(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{Ends: w.Now.Add(20 * time.Minute)}))
	w.Until(5*time.Minute, w.Steady)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Hour; return s })
	w.Run(time.Minute)
	w.Renew(issuer)
	w.Run(2 * time.Second)
	if v, told := w.Warned(rollover.CodeExpiresInWait); told && !strings.HasSuffix(v.Text, " forgives and other clients do not (deadline: auto)") {
		t.Errorf("it says %q, and not what the configuration has", v.Text)
	}
	if !w.Warns(rollover.CodeExpiresInWait) {
		t.Errorf("a wait of an hour, 19 minutes before the end, is not told of\n%s", w.Story())
	}
}
