package rollover

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.14: the first RRset of a name.

// bare is a world in which a pair is installed and served, and no record stands.
func bare(t *testing.T) (w *world, issuer *ca, first tlsa.ChainID) {
	w = newWorld(t)
	issuer = w.ca("Issuer A", nil)
	first = w.issue(issuer, leaf{})
	w.serving("mx1", first)
	w.zone = map[tlsa.Owner]stored{}
	w.everywhere()
	clear(w.caches)
	return w, issuer, first
}

func TestFirstPublication(t *testing.T) {
	w, _, first := bare(t)
	took := w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) })
	w.took("the first publication", took, 0, 10*time.Second)
	w.until(time.Minute, w.steady)
	if ttl := w.zone[owner25(t)].rrset.TTL; ttl != time.Minute {
		t.Errorf("ttl %s, want that of the configuration", ttl)
	}
}

func TestServedChainAndSuccessorGoInOneChange(t *testing.T) {
	w, issuer, first := bare(t)
	second := w.renew(issuer)
	w.until(time.Minute, func() bool { return !w.zone[owner25(t)].rrset.Denial() })
	w.stands(w.record(tlsa.EE, first), w.record(tlsa.EE, second))
	w.until(5*time.Minute, w.done(second)) // after the unknown-ttl: nobody knows what stood before
}

func TestNothingIsPublishedWithoutTheServedKey(t *testing.T) {
	w, issuer, _ := bare(t)
	w.node().served = w.issue(issuer, leaf{}) // the install files hold another pair
	w.renew(issuer)
	w.run(10 * time.Minute)
	if !w.zone[owner25(t)].rrset.Denial() || !w.waits(CodeNotAdopted) {
		t.Errorf("published, or nobody was told\n%s", w.story())
	}
}

func TestNothingIsPublishedWithoutTLS(t *testing.T) {
	w, _, _ := bare(t)
	w.until(time.Minute, func() bool { return !w.zone[owner25(t)].rrset.Denial() })
	w.careless = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.node().served = ""
	w.run(5 * time.Minute)
	if !w.zone[owner25(t)].rrset.Denial() || !w.waits(CodeNoTLS) {
		t.Errorf("published, or nobody was told\n%s", w.story())
	}
}

func TestNothingIsPublishedWhereItIsNotSigned(t *testing.T) {
	for _, tt := range []struct {
		security Security
		code     Code
	}{{Insecure, CodeZoneInsecure}, {Bogus, CodeZoneBogus}, {Indeterminate, CodeZoneIndeterminate}} {
		t.Run(string(tt.security), func(t *testing.T) {
			w, _, _ := bare(t)
			w.security = tt.security
			w.run(5 * time.Minute)
			if !w.zone[owner25(t)].rrset.Denial() || !w.waits(tt.code) {
				t.Errorf("published, or does not wait for %s\n%s", tt.code, w.story())
			}
		})
	}
}

func TestNobodyHoldsTheZone(t *testing.T) {
	w, _, _ := bare(t)
	w.provider = ""
	w.run(5 * time.Minute)
	if !w.zone[owner25(t)].rrset.Denial() || !w.waits(CodeNoProvider) {
		t.Errorf("published, or nobody was told\n%s", w.story())
	}
}

// A new host gets its first pair when no answer that may be held fails it; then
// its record, once TLS works.
func TestFirstPairOfANewHost(t *testing.T) {
	for name, set := range map[string]func(n *node){
		"without TLS":           func(*node) {},
		"that does not start":   func(n *node) { n.unseen = true },
		"elsewhere, and silent": func(n *node) { n.unseen, n.remote = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			set(w.node())
			first := w.renew(w.ca("Issuer A", nil))
			if w.node().remote {
				w.run(10 * time.Minute)
				if w.live() != "" || !w.waits(CodeNotAdopted) {
					t.Errorf("who knows what is served there\n%s", w.story())
				}
				return
			}
			took := w.until(5*time.Minute, w.swapped(first))
			w.took("the first swap", took, 70*time.Second, 3*time.Second) // the unknown-ttl
			if !w.zone[owner25(t)].rrset.Denial() {
				t.Errorf("published before TLS worked\n%s", w.story())
			}
			w.node().unseen = false
			w.until(time.Minute, func() bool { return !w.zone[owner25(t)].rrset.Denial() })
			w.stands(w.record(tlsa.EE, first))
		})
	}
}

// Adoption.

func TestAdoptionTakesOverWhatMatches(t *testing.T) {
	w := newWorld(t)
	w.policy.Lineages["rsa"] = w.policy.Lineages["mx1"]
	w.hosts["mx1"].algorithm = "ecdsa"
	w.hosts["rsa"] = newHost("rsa", "192.0.2.1:25")
	issuer := w.ca("Issuer A", nil)
	a, b := w.issue(issuer, leaf{}), w.issue(issuer, leaf{})
	w.serving("mx1", a)
	w.serving("rsa", b)
	theirs := w.keyRecord(w.newKey())
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.everywhere()
	rsa := w.hosts["rsa"].installed
	w.hosts["rsa"].installed = "" // adopted later, by a person
	w.run(2 * time.Minute)
	if w.live() != a || w.state.Lineages["rsa"].Live != "" {
		t.Fatalf("live %s and %s\n%s", w.live().Short(), w.state.Lineages["rsa"].Live.Short(), w.story())
	}
	w.hosts["rsa"].installed = rsa
	w.run(time.Minute)
	ours := w.ledger().Ours
	if want := tlsa.NewRRset(0, w.record(tlsa.EE, a), w.record(tlsa.EE, b)); !want.Same(tlsa.NewRRset(0, ours...)) {
		t.Errorf("ours are %v, want %v", ours, want.Associations)
	}
}

func TestStandbyRecordIsAdopted(t *testing.T) {
	w := newWorld(t)
	w.scheme("ee+standby")
	first := w.issue(w.ca("Issuer A", nil), leaf{})
	w.serving("mx1", first)
	next := w.keyRecord(w.newKey())
	w.hosts["mx1"].standby = next
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(next) })
	w.everywhere()
	w.until(time.Minute, w.steady)
	if !slices.Contains(w.ledger().Ours, next) {
		t.Errorf("ours are %v", w.ledger().Ours)
	}
}

// DESIGN 7 and 10: a crash at any step.

func TestCrashAroundTheSwap(t *testing.T) {
	for _, tt := range []struct {
		name  string
		crash func(w *world, h *host, next tlsa.ChainID)
	}{
		{"before the switch", func(*world, *host, tlsa.ChainID) {}},
		{"after the switch, before the reload", func(w *world, h *host, next tlsa.ChainID) { h.live, h.installed = next, next }},
		{"after the reload", func(w *world, h *host, next tlsa.ChainID) {
			h.live, h.installed = next, next
			w.reload("mx1", switching{})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, _ := rolled(t, "ee")
			second := w.renew(issuer)
			w.faults["kill swap"] = "now"
			w.until(5*time.Minute, func() bool { return w.faults["kill swap"] == "" })
			if sw := w.lineage().Swapping; sw == nil || sw.Step != SwapIntended {
				t.Fatalf("the intention is not remembered: %+v", sw)
			}
			tt.crash(w, w.hosts["mx1"], second)
			w.until(time.Minute, func() bool { return w.live() == second && w.node().served == second })
			w.until(5*time.Minute, w.done(second))
		})
	}
}

func TestCrashBeforeTheFirstPairOfANewHost(t *testing.T) {
	w := newWorld(t)
	first := w.renew(w.ca("Issuer A", nil))
	w.faults["kill swap"] = "now"
	w.until(5*time.Minute, func() bool { return w.faults["kill swap"] == "" })
	w.until(time.Minute, w.swapped(first))
}

// After a crash a swap goes on only if it is still safe.
func TestInterruptedSwapIsJudgedAgain(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.faults["kill swap"] = "now"
	w.until(5*time.Minute, func() bool { return w.faults["kill swap"] == "" })
	h := w.hosts["mx1"]
	h.live, h.installed = second, second
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first)) })
	w.everywhere() // somebody restored an old zone meanwhile
	w.run(10 * time.Second)
	if w.node().served != first || w.live() != first {
		t.Errorf("went on with the swap\n%s", w.story())
	}
	w.until(3*time.Hour, w.done(second))
}

// The guard of the way back.
func TestBack(t *testing.T) {
	t.Run("is free while all answers match the old pair", func(t *testing.T) {
		w, issuer, first := rolled(t, "ee")
		w.node().stuck = true // keeps presenting the old one
		second := w.renew(issuer)
		w.until(5*time.Minute, w.swapped(second))
		w.until(time.Minute, w.swapped(first))
		if l := w.lineage(); l.Held == nil || l.Held.Chain != second || l.Successor != second {
			t.Errorf("not held: %+v", l)
		}
	})
	t.Run("is closed while answers match the new pair alone", func(t *testing.T) {
		w, issuer, first := rolled(t, "ee")
		other := &node{served: first}
		w.hosts["mx1"].nodes["192.0.2.2:25"] = other
		w.run(time.Minute)
		second := w.renew(issuer)
		w.run(60 * time.Second)
		other.slow = time.Minute
		w.until(5*time.Minute, w.swapped(second))
		w.careless = true
		w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, second)) })
		w.everywhere()
		w.run(40 * time.Second)
		if w.live() != second || !w.waits(CodeBackBlocked) || !w.warns(CodeBackBlocked) {
			t.Errorf("went back, or nobody was told\n%s", w.story())
		}
		w.run(time.Minute) // the slow reload is done after all
		if w.waits(CodeBackBlocked) || w.lineage().Swapping != nil {
			t.Errorf("it has come right, and is not noticed\n%s", w.story())
		}
		w.until(5*time.Minute, w.done(second))
	})
	t.Run("is taken in any case where no TLS works", func(t *testing.T) {
		w, issuer, first := rolled(t, "ee")
		second := w.renew(issuer)
		w.run(60 * time.Second)
		w.node().broken = true
		w.until(5*time.Minute, w.swapped(second))
		w.careless = true
		w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, second)) })
		w.everywhere()
		w.until(time.Minute, w.swapped(first))
	})
	t.Run("leads past a failed swap with a newer pair", func(t *testing.T) {
		w, issuer, _ := rolled(t, "ee")
		second := w.renew(issuer)
		w.run(60 * time.Second)
		w.until(5*time.Minute, w.swapped(second))
		w.node().served, w.node().stuck, w.careless = w.issue(nil, leaf{}), true, true
		w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, second)) })
		w.everywhere()
		w.run(30 * time.Second)
		if !w.waits(CodeBackBlocked) {
			t.Fatalf("not blocked\n%s", w.story())
		}
		w.node().stuck = false
		third := w.renew(issuer)
		w.until(5*time.Minute, w.done(third))
	})
}

// Only what is seen after the swap counts, however long it takes.
func TestSwapIsNotJudgedUnseen(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	o := w.observe()
	for name, v := range o.Lineages {
		v.Addresses, v.Served = nil, nil // nobody looked
		o.Lineages[name] = v
	}
	state, plan := Next(w.state, o, w.policy, w.now.Add(time.Hour))
	if l := state.Lineages["mx1"]; l.Swapping == nil || len(plan.Actions) > 0 || !plan.LookServed.Equal(w.now.Add(time.Hour)) {
		t.Errorf("swapping %+v, actions %v, next look at endpoints %s", l.Swapping, plan.Actions, plan.LookServed)
	}
}

// Aliases: several owner names, one target.
func TestAlias(t *testing.T) {
	w := newWorld(t)
	target := tlsa.Owner("_dane.example.org.")
	submission := Endpoint{URL: "submission://" + mx, Host: mx, Port: 587, Owner: ownerOf(t, 587, mx)}
	w.configure(func(p *LineagePolicy) { p.Endpoints = append(p.Endpoints, submission) })
	w.target[owner25(t)], w.target[submission.Owner] = target, target
	issuer := w.ca("Issuer A", nil)
	w.serving("mx1", w.issue(issuer, leaf{}))
	w.until(time.Minute, w.steady)
	w.run(5 * time.Minute)
	second := w.renew(issuer)
	took := w.until(10*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub+30*time.Second, 4*time.Second) // the alias's TTL is part of it
	w.until(10*time.Minute, w.steady)
	if got := w.zone[target].rrset; !got.Same(tlsa.NewRRset(0, w.record(tlsa.EE, second))) {
		t.Errorf("the target holds %v", got)
	}
	if !w.zone[owner25(t)].rrset.Denial() {
		t.Error("something was written at the alias")
	}
}

func TestAliasThatMoves(t *testing.T) {
	w := newWorld(t)
	before, after := tlsa.Owner("_one.example.org."), tlsa.Owner("_two.example.org.")
	w.target[owner25(t)] = before
	issuer := w.ca("Issuer A", nil)
	w.serving("mx1", w.issue(issuer, leaf{}))
	w.until(time.Minute, w.steady)
	w.run(5 * time.Minute)
	w.careless = true
	w.zone[after] = w.zone[before]
	w.everywhere()
	w.target[owner25(t)] = after
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	if got := w.zone[after].rrset; !got.Same(tlsa.NewRRset(0, w.record(tlsa.EE, second))) {
		t.Errorf("the target holds %v", got)
	}
}
