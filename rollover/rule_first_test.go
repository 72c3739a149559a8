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

// DESIGN 4.14: the first RRset of a name.

func TestFirstPublication(t *testing.T) {
	w, _, first := sim.Bare(t)
	took := w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Took("the first publication", took, 0, 10*time.Second)
	w.Until(time.Minute, w.Steady)
	if ttl := w.Zone[sim.Owner25(t)].RRset.TTL; ttl != time.Minute {
		t.Errorf("ttl %s, want that of the configuration", ttl)
	}
}

func TestServedChainAndSuccessorGoInOneChange(t *testing.T) {
	w, issuer, first := sim.Bare(t)
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Denial() })
	w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
	w.Until(5*time.Minute, w.Done(second)) // after the unknown-ttl: nobody knows what stood before
}

// The wait for what stood before the first look is long, and nobody guesses how it
// gets shorter.
func TestUnknownFirstVersionNamesKnownTTL(t *testing.T) {
	for _, tt := range []struct {
		name           string
		known, unknown time.Duration
		hint           bool
	}{{"nobody said anything", 0, time.Hour, true}, {"known-ttl is set", time.Hour, 2 * time.Hour, false}, {"what stands has a longer ttl", 0, 30 * time.Second, false}} {
		t.Run(tt.name, func(t *testing.T) {
			w := sim.NewWorld(t)
			w.Policy.Timing.UnknownTTL = tt.unknown
			w.Configure(func(p *rollover.LineagePolicy) { p.KnownTTL = tt.known })
			issuer := w.CA("Issuer A", nil)
			w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
			w.Until(time.Minute, w.Steady)
			w.Renew(issuer)
			w.Run(30 * time.Second)
			i := slices.IndexFunc(w.Lineage().Waiting, func(r rollover.Reason) bool { return r.Code == rollover.CodeVersionAlive })
			if i < 0 || strings.HasSuffix(w.Lineage().Waiting[i].Text, "(hint: if the TTL was never so long, write known-ttl: in the lineage)") != tt.hint {
				t.Errorf("hint %t; it waits for %v", tt.hint, w.Lineage().Waiting)
			}
		})
	}
}

func TestNothingIsPublishedWithoutTheServedKey(t *testing.T) {
	w, issuer, _ := sim.Bare(t)
	w.Node().Served = w.Issue(issuer, sim.Leaf{}) // the install files hold another pair
	w.Renew(issuer)
	w.Run(10 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Denial() || !w.Waits(rollover.CodeNotAdopted) {
		t.Errorf("published, or nobody was told\n%s", w.Story())
	}
}

func TestNothingIsPublishedWithoutTLS(t *testing.T) {
	w, _, _ := sim.Bare(t)
	w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Denial() })
	w.Careless = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Node().Served = ""
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Denial() || !w.Waits(rollover.CodeNoTLS) {
		t.Errorf("published, or nobody was told\n%s", w.Story())
	}
}

func TestNothingIsPublishedWhereItIsNotSigned(t *testing.T) {
	for _, tt := range []struct {
		security rollover.Security
		code     rollover.Code
	}{{rollover.Insecure, rollover.CodeZoneInsecure}, {rollover.Bogus, rollover.CodeZoneBogus}, {rollover.Indeterminate, rollover.CodeZoneIndeterminate}} {
		t.Run(string(tt.security), func(t *testing.T) {
			w, _, _ := sim.Bare(t)
			w.Security = tt.security
			w.Run(5 * time.Minute)
			if !w.Zone[sim.Owner25(t)].RRset.Denial() || !w.Waits(tt.code) {
				t.Errorf("published, or does not wait for %s\n%s", tt.code, w.Story())
			}
		})
	}
}

func TestNobodyHoldsTheZone(t *testing.T) {
	w, _, _ := sim.Bare(t)
	w.Provider = ""
	w.Run(5 * time.Minute)
	if !w.Zone[sim.Owner25(t)].RRset.Denial() || !w.Waits(rollover.CodeNoProvider) {
		t.Errorf("published, or nobody was told\n%s", w.Story())
	}
}

// A new host gets its first pair when no answer that may be held fails it; then
// its record, once TLS works.
func TestFirstPairOfANewHost(t *testing.T) {
	for name, set := range map[string]func(n *sim.Node){
		"without TLS":           func(*sim.Node) {},
		"that does not start":   func(n *sim.Node) { n.Unseen = true },
		"elsewhere, and silent": func(n *sim.Node) { n.Unseen, n.Remote = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			w := sim.NewWorld(t)
			set(w.Node())
			first := w.Renew(w.CA("Issuer A", nil))
			if w.Node().Remote {
				w.Run(10 * time.Minute)
				if w.Live() != "" || !w.Waits(rollover.CodeNotAdopted) {
					t.Errorf("who knows what is served there\n%s", w.Story())
				}
				return
			}
			took := w.Until(5*time.Minute, w.Swapped(first))
			w.Took("the first swap", took, 70*time.Second, 3*time.Second) // the unknown-ttl
			if !w.Zone[sim.Owner25(t)].RRset.Denial() {
				t.Errorf("published before TLS worked\n%s", w.Story())
			}
			w.Node().Unseen = false
			w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Denial() })
			w.Stands(w.Record(tlsa.EE, first))
		})
	}
}

// Adoption.

func TestAdoptionTakesOverWhatMatches(t *testing.T) {
	w := sim.NewWorld(t)
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	issuer := w.CA("Issuer A", nil)
	a, b := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{})
	w.Serving("mx1", a)
	w.Serving("rsa", b)
	theirs := w.KeyRecord(w.NewKey())
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Everywhere()
	rsa := w.Hosts["rsa"].Installed
	w.Hosts["rsa"].Installed = "" // adopted later, by a person
	w.Run(2 * time.Minute)
	if w.Live() != a || w.State.Lineages["rsa"].Live != "" {
		t.Fatalf("live %s and %s\n%s", w.Live().Short(), w.State.Lineages["rsa"].Live.Short(), w.Story())
	}
	w.Hosts["rsa"].Installed = rsa
	w.Run(time.Minute)
	ours := w.Ledger().Ours
	if want := tlsa.NewRRset(0, w.Record(tlsa.EE, a), w.Record(tlsa.EE, b)); !want.Same(tlsa.NewRRset(0, ours...)) {
		t.Errorf("ours are %v, want %v", ours, want.Associations)
	}
}

// A lost journal takes nothing along but waits: the records of the live pair leave
// with it, at an endpoint that is new, too.
func TestRecordsOfTheLivePairAreInherited(t *testing.T) {
	imaps := sim.OwnerOf(t, 993, sim.MX)
	for name, happens := range map[string]func(w *sim.World){
		"the journal is lost": func(w *sim.World) { w.State, w.Plan = rollover.State{}, rollover.Plan{} },
		"a new endpoint has records": func(w *sim.World) {
			w.Edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, w.Live())) })
			w.Everywhere()
			w.Configure(func(p *rollover.LineagePolicy) {
				p.Endpoints = append(p.Endpoints, rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: imaps})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			theirs := w.KeyRecord(w.NewKey())
			w.Foreign[theirs] = true
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
			w.Run(2 * time.Minute)
			happens(w)
			w.Run(2 * time.Minute)
			second := w.Renew(issuer)
			w.Until(10*time.Minute, w.Done(second))
			w.Stands(w.Record(tlsa.EE, second), theirs)
			if got := w.Zone[imaps].RRset; !got.Denial() && !got.Same(tlsa.NewRRset(0, w.Record(tlsa.EE, second))) {
				t.Errorf("%s has %v", imaps, got)
			}
		})
	}
}

func TestStandbyRecordIsAdopted(t *testing.T) {
	w := sim.NewWorld(t)
	w.Scheme("ee+standby")
	first := w.Issue(w.CA("Issuer A", nil), sim.Leaf{})
	w.Serving("mx1", first)
	next := w.KeyRecord(w.NewKey())
	w.Hosts["mx1"].Standby = next
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(next) })
	w.Everywhere()
	w.Until(time.Minute, w.Steady)
	if !slices.Contains(w.Ledger().Ours, next) {
		t.Errorf("ours are %v", w.Ledger().Ours)
	}
}

// DESIGN 7 and 10: a crash at any step.

func TestCrashAroundTheSwap(t *testing.T) {
	for _, tt := range []struct {
		name  string
		crash func(w *sim.World, h *sim.Host, next tlsa.ChainID)
	}{
		{"before the switch", func(*sim.World, *sim.Host, tlsa.ChainID) {}},
		{"after the switch, before the reload", func(w *sim.World, h *sim.Host, next tlsa.ChainID) { h.Live, h.Installed = next, next }},
		{"after the reload", func(w *sim.World, h *sim.Host, next tlsa.ChainID) {
			h.Live, h.Installed = next, next
			w.Reload("mx1", sim.Switching{})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			w.Faults["kill swap"] = "now"
			w.Until(5*time.Minute, func() bool { return w.Faults["kill swap"] == "" })
			if sw := w.Lineage().Swapping; sw == nil || sw.Step != rollover.SwapIntended {
				t.Fatalf("the intention is not remembered: %+v", sw)
			}
			tt.crash(w, w.Hosts["mx1"], second)
			w.Until(time.Minute, func() bool { return w.Live() == second && w.Node().Served == second })
			w.Until(5*time.Minute, w.Done(second))
		})
	}
}

func TestCrashBeforeTheFirstPairOfANewHost(t *testing.T) {
	w := sim.NewWorld(t)
	first := w.Renew(w.CA("Issuer A", nil))
	w.Faults["kill swap"] = "now"
	w.Until(5*time.Minute, func() bool { return w.Faults["kill swap"] == "" })
	w.Until(time.Minute, w.Swapped(first))
}

// After a crash a swap goes on only if it is still safe.
func TestInterruptedSwapIsJudgedAgain(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Faults["kill swap"] = "now"
	w.Until(5*time.Minute, func() bool { return w.Faults["kill swap"] == "" })
	h := w.Hosts["mx1"]
	h.Live, h.Installed = second, second
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first)) })
	w.Everywhere() // somebody restored an old zone meanwhile
	w.Run(10 * time.Second)
	if w.Node().Served != first || w.Live() != first {
		t.Errorf("went on with the swap\n%s", w.Story())
	}
	w.Until(3*time.Hour, w.Done(second))
}

// The guard of the way back.
func TestBack(t *testing.T) {
	t.Run("is free while all answers match the old pair", func(t *testing.T) {
		w, issuer, first := sim.Rolled(t, "ee")
		w.Node().Stuck = true // keeps presenting the old one
		second := w.Renew(issuer)
		w.Until(5*time.Minute, w.Swapped(second))
		w.Until(time.Minute, w.Swapped(first))
		if l := w.Lineage(); l.Held == nil || l.Held.Chain != second || l.Successor != second {
			t.Errorf("not held: %+v", l)
		}
	})
	t.Run("is closed while answers match the new pair alone", func(t *testing.T) {
		w, issuer, first := sim.Rolled(t, "ee")
		other := &sim.Node{Served: first}
		w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
		w.Run(time.Minute)
		second := w.Renew(issuer)
		w.Run(60 * time.Second)
		other.Slow = time.Minute
		w.Until(5*time.Minute, w.Swapped(second))
		w.Careless = true
		w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, second)) })
		w.Everywhere()
		w.Run(40 * time.Second)
		if w.Live() != second || !w.Waits(rollover.CodeBackBlocked) || !w.Warns(rollover.CodeBackBlocked) {
			t.Errorf("went back, or nobody was told\n%s", w.Story())
		}
		w.Run(time.Minute) // the slow reload is done after all
		if w.Waits(rollover.CodeBackBlocked) || w.Lineage().Swapping != nil {
			t.Errorf("it has come right, and is not noticed\n%s", w.Story())
		}
		w.Until(5*time.Minute, w.Done(second))
	})
	t.Run("is taken in any case where no TLS works", func(t *testing.T) {
		w, issuer, first := sim.Rolled(t, "ee")
		second := w.Renew(issuer)
		w.Run(60 * time.Second)
		w.Node().Broken = true
		w.Until(5*time.Minute, w.Swapped(second))
		w.Careless = true
		w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, second)) })
		w.Everywhere()
		w.Until(time.Minute, w.Swapped(first))
	})
	t.Run("leads past a failed swap with a newer pair", func(t *testing.T) {
		w, issuer, _ := sim.Rolled(t, "ee")
		second := w.Renew(issuer)
		w.Run(60 * time.Second)
		w.Until(5*time.Minute, w.Swapped(second))
		w.Node().Served, w.Node().Stuck, w.Careless = w.Issue(nil, sim.Leaf{}), true, true
		w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, second)) })
		w.Everywhere()
		w.Run(30 * time.Second)
		if !w.Waits(rollover.CodeBackBlocked) {
			t.Fatalf("not blocked\n%s", w.Story())
		}
		w.Node().Stuck = false
		third := w.Renew(issuer)
		w.Until(5*time.Minute, w.Done(third))
	})
}

// Only what is seen after the swap counts, however long it takes.
func TestSwapIsNotJudgedUnseen(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	o := w.Observe()
	for name, v := range o.Lineages {
		v.Addresses, v.Served = nil, nil // nobody looked
		o.Lineages[name] = v
	}
	state, plan := rollover.Next(w.State, o, w.Policy, w.Now.Add(time.Hour))
	if l := state.Lineages["mx1"]; l.Swapping == nil || len(plan.Actions) > 0 || !plan.LookServed.Equal(w.Now.Add(time.Hour)) {
		t.Errorf("swapping %+v, actions %v, next look at endpoints %s", l.Swapping, plan.Actions, plan.LookServed)
	}
}

// Aliases: several owner names, one target.
func TestAlias(t *testing.T) {
	w := sim.NewWorld(t)
	target := tlsa.Owner("_dane.example.org.")
	submission := rollover.Endpoint{URL: "submission://" + sim.MX, Host: sim.MX, Port: 587, Owner: sim.OwnerOf(t, 587, sim.MX)}
	w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = append(p.Endpoints, submission) })
	w.Target[sim.Owner25(t)], w.Target[submission.Owner] = target, target
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Until(time.Minute, w.Steady)
	w.Run(5 * time.Minute)
	second := w.Renew(issuer)
	took := w.Until(10*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub+30*time.Second, 4*time.Second) // the alias's TTL is part of it
	w.Until(10*time.Minute, w.Steady)
	if got := w.Zone[target].RRset; !got.Same(tlsa.NewRRset(0, w.Record(tlsa.EE, second))) {
		t.Errorf("the target holds %v", got)
	}
	if !w.Zone[sim.Owner25(t)].RRset.Denial() {
		t.Error("something was written at the alias")
	}
}

func TestAliasThatMoves(t *testing.T) {
	w := sim.NewWorld(t)
	before, after := tlsa.Owner("_one.example.org."), tlsa.Owner("_two.example.org.")
	w.Target[sim.Owner25(t)] = before
	issuer := w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Until(time.Minute, w.Steady)
	w.Run(5 * time.Minute)
	w.Careless = true
	w.Zone[after] = w.Zone[before]
	w.Everywhere()
	w.Target[sim.Owner25(t)] = after
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	if got := w.Zone[after].RRset; !got.Same(tlsa.NewRRset(0, w.Record(tlsa.EE, second))) {
		t.Errorf("the target holds %v", got)
	}
}
