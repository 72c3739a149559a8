package rollover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.5: every guard of the swap holds now. In each case all else is ripe,
// one thing is amiss, and the swap follows as soon as it is mended.
func TestGuardsOfTheSwap(t *testing.T) {
	everyServer := func(w *world, view func(*ServerView)) {
		for _, s := range w.servers {
			s.view = view
		}
	}
	for _, tt := range []struct {
		name  string
		code  Code
		amiss func(w *world, next tlsa.ChainID)
		mend  func(w *world, next tlsa.ChainID)
	}{
		{name: "frozen", code: CodeFrozen,
			amiss: func(w *world, _ tlsa.ChainID) { w.freeze(time.Time{}) },
			mend:  func(w *world, _ tlsa.ChainID) { w.thaw() }},
		{name: "frozen until", code: CodeFrozen,
			amiss: func(w *world, _ tlsa.ChainID) { w.freeze(w.now.Add(10 * time.Minute)) },
			mend:  func(w *world, _ tlsa.ChainID) { w.freeze(w.now.Add(time.Second)) }},
		{name: "the stash", code: CodeStashUnreadable,
			amiss: func(w *world, next tlsa.ChainID) { w.hosts["mx1"].stash[next] = "key and leaf do not fit" },
			mend:  func(w *world, next tlsa.ChainID) { w.hosts["mx1"].stash[next] = "" }},
		{name: "a server is silent", code: CodeServerUnknown,
			amiss: func(w *world, _ tlsa.ChainID) { w.servers[0].hidden = true },
			mend:  func(w *world, _ tlsa.ChainID) { w.servers[0].hidden = false }},
		{name: "the servers are not known", code: CodeServersUnknown,
			amiss: func(w *world, _ tlsa.ChainID) { w.nsErr = "parent: SERVFAIL" },
			mend:  func(w *world, _ tlsa.ChainID) { w.nsErr = "" }},
		{name: "bogus", code: CodeZoneBogus,
			amiss: func(w *world, _ tlsa.ChainID) { w.security = Bogus },
			mend:  func(w *world, _ tlsa.ChainID) { w.security = Secure }},
		{name: "indeterminate", code: CodeZoneIndeterminate,
			amiss: func(w *world, _ tlsa.ChainID) { w.security = Indeterminate },
			mend:  func(w *world, _ tlsa.ChainID) { w.security = Secure }},
		{name: "insecure, and records stand", code: CodeZoneInsecure,
			amiss: func(w *world, _ tlsa.ChainID) { w.security = Insecure },
			mend:  func(w *world, _ tlsa.ChainID) { w.policy.AllowInsecure["example.org."] = true }},
		{name: "a signature ends within the hour", code: CodeSignatureEnds,
			amiss: func(w *world, _ tlsa.ChainID) {
				everyServer(w, func(v *ServerView) { v.SignedUntil = w.now.Add(59 * time.Minute) })
			},
			mend: func(w *world, _ tlsa.ChainID) { everyServer(w, nil) }},
		{name: "a server does not sign", code: CodeUnsigned,
			amiss: func(w *world, _ tlsa.ChainID) { w.servers[1].view = func(v *ServerView) { v.Unsigned = true } },
			mend:  func(w *world, _ tlsa.ChainID) { everyServer(w, nil) }},
		{name: "the copy cannot be read", code: CodeCopyUnknown,
			amiss: func(w *world, _ tlsa.ChainID) { w.copyErr = "api: 503" },
			mend:  func(w *world, _ tlsa.ChainID) { w.copyErr = "" }},
		{name: "an address family cannot be tested", code: CodeFamilyUntested,
			amiss: func(w *world, _ tlsa.ChainID) { w.servers[1].view = func(v *ServerView) { v.Untested = true } },
			mend:  func(w *world, _ tlsa.ChainID) { w.servers[1].name = w.servers[0].name }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, _ := rolled(t, "ee")
			second := w.renew(issuer)
			w.run(30 * time.Second)
			tt.amiss(w, second)
			w.run(3 * time.Minute)
			if w.live() == second {
				t.Fatalf("swapped all the same\n%s", w.story())
			}
			if !w.waits(tt.code) {
				t.Errorf("does not wait for %s\n%s", tt.code, w.story())
			}
			tt.mend(w, second)
			w.until(3*time.Minute, w.done(second))
		})
	}
}

func TestSwapNeedsThreeSpacedLooks(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.provider, w.careless = "", true // only people write here
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.everywhere()
	w.run(5 * time.Minute)
	second := w.issue(issuer, leaf{})
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset {
		return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first), w.record(tlsa.EE, second))
	})
	w.everywhere()
	w.offer(second) // no answer that may be held fails it: nothing but the looks is waited for
	w.run(time.Second)
	if !w.waits(CodeNotEverywhere) {
		t.Errorf("does not wait for more looks\n%s", w.story())
	}
	took := time.Second + w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, 2*spacing(time.Minute), 3*time.Second)
}

func TestNotYetValidPairWaits(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.issue(issuer, leaf{begins: w.now.Add(5 * time.Minute)})
	w.offer(second)
	w.run(4 * time.Minute)
	if !w.waits(CodeNotYetValid) {
		t.Errorf("does not wait for it\n%s", w.story())
	}
	w.took("the swap", w.until(5*time.Minute, w.swapped(second)), time.Minute, time.Second)
}

func TestNamesCountWhereTrustAnchorsStand(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(tlsa.TA, first)) }) // somebody's
	w.foreign[w.record(tlsa.TA, first)] = true
	w.run(2 * time.Minute)
	second := w.issue(issuer, leaf{names: []string{"other.example.org"}})
	w.offer(second)
	w.run(5 * time.Minute)
	if w.live() == second || !w.waits(CodeNameMissing) {
		t.Errorf("a pair for another name, where a 2 1 1 stands\n%s", w.story())
	}
}

// Two lineages at one endpoint are swapped one after the other (RFC 7671, section 8.4).
func TestSiblingsAreSwappedOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	w.policy.Lineages["rsa"] = w.policy.Lineages["mx1"]
	w.hosts["mx1"].algorithm = "ecdsa"
	w.hosts["rsa"] = newHost("rsa", "192.0.2.1:25")
	issuer := w.ca("Issuer A", nil)
	w.serving("mx1", w.issue(issuer, leaf{}))
	w.serving("rsa", w.issue(issuer, leaf{}))
	w.until(time.Minute, w.steady)
	w.run(2 * time.Minute)
	w.node().slow = 8 * time.Second
	a, b := w.issue(issuer, leaf{}), w.issue(issuer, leaf{})
	w.offerTo("mx1", a, false)
	w.offerTo("rsa", b, false)
	together := false
	w.until(5*time.Minute, func() bool {
		together = together || w.lineage().Swapping != nil && w.state.Lineages["rsa"].Swapping != nil
		return w.live() == a && w.state.Lineages["rsa"].Live == b
	})
	if together {
		t.Error("swapped together")
	}
}

// DESIGN 4.6: owner names that nobody listed.
func TestUnlistedOwner(t *testing.T) {
	imaps := ownerOf(t, 993, mx)
	for _, tt := range []struct {
		name  string
		mend  func(w *world, next tlsa.ChainID)
		later bool // caches hold what was there
	}{
		{name: "ignored", mend: func(w *world, _ tlsa.ChainID) {
			w.configure(func(p *LineagePolicy) { p.Ignore = map[tlsa.Owner]bool{imaps: true} })
		}},
		{name: "gets the record", later: true, mend: func(w *world, next tlsa.ChainID) {
			w.edit(imaps, func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(tlsa.EE, next)) })
		}},
		{name: "is taken out", later: true, mend: func(w *world, _ tlsa.ChainID) {
			w.edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
		}},
		{name: "becomes an endpoint", later: true, mend: func(w *world, _ tlsa.ChainID) {
			w.configure(func(p *LineagePolicy) {
				p.Endpoints = append(p.Endpoints, Endpoint{URL: "imaps://" + mx, Host: mx, Port: 993, Owner: imaps})
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, first := rolled(t, "ee")
			w.edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first)) })
			w.everywhere()
			w.unlisted = map[tlsa.Owner]string{}
			second := w.renew(issuer)
			w.run(5 * time.Minute)
			if w.live() == second || !w.waits(CodeUnlistedOwner) {
				t.Fatalf("swapped past %s\n%s", imaps, w.story())
			}
			tt.mend(w, second)
			took := w.until(5*time.Minute, w.swapped(second))
			if tt.later && took < ipub {
				t.Errorf("swapped after %s: caches hold what was there\n%s", took, w.story())
			}
		})
	}
}

func TestUnlistedOwnerThatNobodyCanTellOf(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.unlisted = map[tlsa.Owner]string{ownerOf(t, 465, mx): "resolver: timeout"}
	second := w.renew(issuer)
	w.run(3 * time.Minute)
	if w.live() == second || !w.waits(CodeUnlistedUnknown) {
		t.Fatalf("swapped\n%s", w.story())
	}
	o := w.observe()
	o.Owners, o.Unlisted = nil, nil // not looked at in this pass
	if _, plan := Next(w.state, o, w.policy, w.now); !slices.ContainsFunc(plan.Waiting["mx1"], func(r Reason) bool { return r.Code == CodeUnlistedUnknown }) {
		t.Errorf("what was not looked at was taken for absent: %v", plan.Waiting)
	}
	w.unlisted = map[tlsa.Owner]string{}
	w.until(time.Minute, w.swapped(second))
}

func TestUnlistedOwnerOfAnotherPairDoesNotMatter(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.edit(ownerOf(t, 465, mx), func(tlsa.RRset) tlsa.RRset {
		return tlsa.NewRRset(time.Minute, w.keyRecord(w.newKey()))
	})
	w.everywhere()
	second := w.renew(issuer)
	w.until(2*time.Minute, w.swapped(second))
}

// DESIGN 4.9: renewals that overtake each other.

func TestSupersededBeforeAnyServerShowedIt(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	for _, s := range w.servers {
		s.lag = 20 * time.Second
	}
	second := w.renew(issuer)
	w.run(10 * time.Second)
	third := w.renew(issuer)
	w.run(time.Second)
	if l := w.lineage(); l.Successor != third || l.Queued != "" {
		t.Errorf("successor %s, queued %s, want %s alone", l.Successor.Short(), l.Queued.Short(), third.Short())
	}
	w.until(10*time.Minute, w.done(third))
	if w.swaps != 1 {
		t.Errorf("%d swaps, want 1", w.swaps)
	}
	_ = second
	w.stands(w.record(tlsa.EE, third)) // the record of the second has left
}

func TestPublishedSuccessorKeepsItsPlace(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(30 * time.Second)
	third, fourth := w.issue(issuer, leaf{}), w.issue(issuer, leaf{begins: w.now.Add(-time.Minute)})
	w.offer(third)
	w.run(5 * time.Second)
	w.offer(fourth)
	w.run(5 * time.Second)
	if l := w.lineage(); l.Successor != second || l.Queued != fourth {
		t.Fatalf("successor %s, queued %s, want %s and %s\n%s", l.Successor.Short(), l.Queued.Short(), second.Short(), fourth.Short(), w.story())
	}
	if !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, fourth)) {
		t.Errorf("the queued pair is not published at once\n%s", w.story())
	}
	want := reason(CodeQueued, "%s waits until %s, which keeps its place, is live", fourth.Short(), second.Short()).of(fourth.Short())
	if rs := w.lineage().Waiting; rs[0].Code == CodeQueued || !slices.Contains(rs, want) {
		t.Errorf("waits for %v, want %v among it, and not first", rs, want)
	}
	w.until(2*time.Minute, w.swapped(second))
	w.run(time.Second)
	if w.waits(CodeQueued) {
		t.Errorf("still queued\n%s", w.story())
	}
	w.until(2*time.Minute, w.done(fourth))
	w.stands(w.record(tlsa.EE, fourth))
}

func TestRenewalsFasterThanTheWaitDoNotStarveTheSwap(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	for range 30 {
		w.renew(issuer)
		w.run(25 * time.Second)
	}
	if w.swaps < 8 { // 12.5 minutes, and a wait of 75 s for each
		t.Errorf("%d swaps\n%s", w.swaps, w.story())
	}
}

func TestSameKeyReplacesTheSuccessorAndEmptiesTheQueue(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	key := w.newKey()
	w.offer(w.issue(issuer, leaf{key: key}))
	w.run(30 * time.Second)
	w.renew(issuer)
	w.run(5 * time.Second)
	again := w.issue(issuer, leaf{key: key})
	w.offer(again)
	w.run(time.Second)
	if l := w.lineage(); l.Successor != again || l.Queued != "" {
		t.Errorf("successor %s, queued %s, want %s alone", l.Successor.Short(), l.Queued.Short(), again.Short())
	}
	w.until(3*time.Minute, w.done(again))
}

func TestLivePairStagedAgainDropsWhatIsOnItsWay(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.renew(issuer)
	w.run(30 * time.Second)
	w.renew(issuer)
	w.run(5 * time.Second)
	w.offerTo("mx1", first, true)
	w.until(5*time.Minute, w.done(first))
	w.stands(w.record(tlsa.EE, first))
}

func TestSuccessorThatEndedGivesItsPlace(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.offer(w.issue(issuer, leaf{ends: w.now.Add(50 * time.Second)}))
	w.run(30 * time.Second)
	third := w.renew(issuer)
	w.run(25 * time.Second)
	if l := w.lineage(); l.Successor != third {
		t.Errorf("successor %s, want %s\n%s", l.Successor.Short(), third.Short(), w.story())
	}
	w.until(5*time.Minute, w.done(third))
}

func TestRefusedPairs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		scheme string
		pair   func(w *world, issuer *ca) tlsa.ChainID
		code   Code
	}{
		{"has ended", "ee", func(w *world, issuer *ca) tlsa.ChainID { return w.issue(issuer, leaf{ends: w.now}) }, CodeExpired},
		{"lacks its CA", "ta", func(w *world, _ *ca) tlsa.ChainID { return w.issue(nil, leaf{}) }, CodePairUnfit},
		{"is for another name", "ee+ta", func(w *world, issuer *ca) tlsa.ChainID {
			return w.issue(issuer, leaf{names: []string{"mx2.example.org"}})
		}, CodeNameMissing},
		{"is older", "ee", func(w *world, issuer *ca) tlsa.ChainID {
			return w.issue(issuer, leaf{begins: w.now.Add(-48 * time.Hour)})
		}, CodeStagedOlder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, first := rolled(t, tt.scheme)
			w.offer(tt.pair(w, issuer))
			w.run(3 * time.Minute)
			if l := w.lineage(); l.Successor != "" || l.Live != first || !w.warns(tt.code) {
				t.Errorf("successor %s, warnings %v", l.Successor.Short(), l.Warnings)
			}
			second := w.renew(issuer)
			w.until(5*time.Minute, w.done(second))
			if w.warns(tt.code) {
				t.Errorf("the warning stays: %v", w.lineage().Warnings)
			}
		})
	}
}

func TestRefusedPairIsTakenWhenTheConfigurationFits(t *testing.T) {
	w, _, _ := rolled(t, "ee+ta")
	second := w.issue(nil, leaf{})
	w.offer(second)
	w.run(time.Minute)
	if !w.waits(CodePairUnfit) {
		t.Fatalf("does not say why\n%s", w.story())
	}
	w.scheme("ee")
	w.until(10*time.Minute, w.done(second))
}

// DESIGN 4.10: a swap that was rolled back is held.

func TestFailedReloadGoesBackAndIsHeld(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.faults["reload"] = "postfix: fatal"
	w.until(5*time.Minute, func() bool { return w.lineage().Held != nil })
	w.run(5 * time.Second)
	if w.live() != first || w.node().served != first || !w.waits(CodeSwapFailed) || !w.warns(CodeSwapFailed) {
		t.Fatalf("not gone back\n%s", w.story())
	}
	for _, want := range []string{"postfix: fatal", "the old pair is live"} {
		if !strings.Contains(w.story(), want) {
			t.Errorf("%q is not said\n%s", want, w.story())
		}
	}
	w.policy.Timing.Poll, w.policy.Timing.Look = 10*time.Minute, 10*time.Minute
	for try, again := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		w.faults["check"] = "postfix check: fatal"
		took := w.until(25*time.Hour, func() bool { return w.faults["check"] == "" })
		if took < again-10*time.Minute || took > again+10*time.Minute {
			t.Errorf("try %d after %s, want %s", try+2, took, again)
		}
	}
	w.until(25*time.Hour, w.done(second))
	if w.lineage().Held != nil {
		t.Error("still held")
	}
}

func TestHeldSwapIsTriedAgain(t *testing.T) {
	for name, lift := range map[string]func(w *world){
		"by an order":              func(w *world) { w.hosts["mx1"].orders = Orders{Retry: true} },
		"on another configuration": func(w *world) { w.configure(func(p *LineagePolicy) { p.Revision = "2" }) },
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := rolled(t, "ee")
			second := w.renew(issuer)
			w.faults["check"] = "fatal"
			w.until(5*time.Minute, func() bool { return w.lineage().Held != nil })
			w.run(10 * time.Minute)
			if w.live() == second {
				t.Fatal("not held")
			}
			lift(w)
			w.until(time.Minute, w.swapped(second))
		})
	}
	t.Run("with a new pair", func(t *testing.T) {
		w, issuer, _ := rolled(t, "ee")
		w.renew(issuer)
		w.faults["check"] = "fatal"
		w.until(5*time.Minute, func() bool { return w.lineage().Held != nil })
		third := w.renew(issuer)
		w.until(5*time.Minute, w.done(third))
	})
}

// DESIGN 4.11: expiry pressure.
func TestDeadline(t *testing.T) {
	imaps := Endpoint{URL: "imaps://" + mx, Host: mx, Port: 993, Owner: ownerOf(t, 993, mx)}
	for _, tt := range []struct {
		name      string
		configure func(w *world)
		forced    bool
	}{
		{"auto, SMTP with DANE-EE alone", func(*world) {}, false},
		{"auto, another service", func(w *world) {
			w.configure(func(p *LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
		}, true},
		{"auto, MTA-STS enforced", func(w *world) { w.mtasts = map[string]Sight[bool]{"mx1": Seen(true)} }, true},
		{"auto, MTA-STS not known", func(w *world) { w.mtasts = map[string]Sight[bool]{"mx1": Unseen[bool]("timeout")} }, false},
		{"auto, a trust anchor", func(w *world) { w.scheme("ee+ta") }, true},
		{"wait", func(w *world) {
			w.configure(func(p *LineagePolicy) { p.Deadline, p.Endpoints = DeadlineWait, append(p.Endpoints, imaps) })
		}, false},
		{"swap", func(w *world) { w.configure(func(p *LineagePolicy) { p.Deadline = DeadlineSwap }) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.configure(w)
			issuer := w.ca("Issuer A", nil)
			end := w.now.Add(80 * time.Minute)
			w.serving("mx1", w.issue(issuer, leaf{ends: end}))
			w.until(5*time.Minute, w.steady)
			w.run(5 * time.Minute)
			w.servers[1].stuck = true // for ever
			w.careless, w.forced = true, tt.forced
			second := w.renew(issuer)
			w.run(time.Minute)
			if w.warns(CodeExpiresInWait) {
				t.Errorf("told of a conflict that is none yet\n%s", w.story())
			}
			if !tt.forced {
				w.run(end.Sub(w.now) + time.Minute)
				if w.live() == second || !w.warns(CodeExpiresInWait) {
					t.Errorf("swapped, or the end was not told of\n%s", w.story())
				}
				return
			}
			w.until(4*time.Hour, w.swapped(second))
			w.took("until the forced swap it", w.now.Sub(epoch), end.Add(-time.Hour).Sub(epoch), 2*time.Second)
			w.run(10 * time.Second)
			if any := w.policy.Lineages["mx1"].Scheme.TA; !any && !w.warns(CodeCachedMismatch) && !w.warns(CodeServedUnmatched) {
				t.Errorf("what it costs is not told\n%s", w.story())
			}
		})
	}
}

func TestConflictIsToldAtIssueTime(t *testing.T) {
	w := newWorld(t)
	issuer := w.ca("Issuer A", nil)
	w.serving("mx1", w.issue(issuer, leaf{ends: w.now.Add(20 * time.Minute)}))
	w.until(5*time.Minute, w.steady)
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Hour; return s })
	w.run(time.Minute)
	w.renew(issuer)
	w.run(2 * time.Second)
	if !w.warns(CodeExpiresInWait) {
		t.Errorf("a wait of an hour, 19 minutes before the end, is not told of\n%s", w.story())
	}
}
