package rollover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 9: the previous pair comes back at once while every answer that may be
// held matches it.
func TestRollbackAtOnce(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(15 * time.Second) // verified, and both records stand
	asked := w.Now
	w.Order(rollover.Orders{Rollback: true})
	w.Until(5*time.Second, w.Swapped(first))
	if l := w.State.Lineages["mx1"]; l.Previous != second || l.Successor != "" || l.Held != nil {
		t.Errorf("after the rollback: previous %s, successor %s, held %v", l.Previous.Short(), l.Successor.Short(), l.Held)
	}
	t.Logf("back after %s", w.Now.Sub(asked))
	w.Until(10*time.Minute, w.Done(first))
	w.Stands(w.Record(tlsa.EE, first))
	w.Run(time.Hour)
	w.Stands(w.Record(tlsa.EE, first)) // what was rolled back does not come again
}

// Once the previous pair's record is gone from some answer, it is a rollover like
// any other.
func TestRollbackOfARetiredPair(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
	w.Order(rollover.Orders{Rollback: true})
	w.Run(30 * time.Second)
	if w.State.Lineages["mx1"].Live != second || !w.Waits(rollover.CodeVersionAlive) {
		t.Errorf("did not wait for caches\n%s", w.Story())
	}
	w.Until(10*time.Minute, w.Done(first))
	w.Stands(w.Record(tlsa.EE, first))
}

// What some cache may hold of unknown content, it may match the live pair alone.
func TestRollbackBesideTheUnknown(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(15 * time.Second)
	ledger := w.State.Owners[sim.Owner25(t)]
	ledger.Versions = append(ledger.Versions, rollover.Version{Unknown: true, Served: w.Now, RRset: tlsa.RRset{TTL: 2 * time.Minute}})
	w.State.Owners[sim.Owner25(t)] = ledger
	w.Order(rollover.Orders{Rollback: true})
	w.Run(time.Minute)
	if w.State.Lineages["mx1"].Live != second || !w.Waits(rollover.CodeVersionAlive) {
		t.Errorf("did not wait for caches\n%s", w.Story())
	}
	w.Until(10*time.Minute, w.Done(first))
}

// Nor at names that nobody listed: an answer there may match the live pair alone.
func TestRollbackPastAnUnlistedOwner(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	imaps := sim.OwnerOf(t, 993, sim.MX)
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Policy.Timing.Retire = time.Hour
	w.Edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, second)) })
	w.Everywhere()
	w.Run(time.Minute)
	w.Order(rollover.Orders{Rollback: true})
	w.Run(5 * time.Minute)
	if w.Live() != second || !w.Waits(rollover.CodeUnlistedOwner) {
		t.Fatalf("back past %s, or nobody was told\n%s", imaps, w.Story())
	}
	w.Edit(imaps, func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	if took := w.Until(5*time.Minute, w.Swapped(first)); took < sim.Ipub {
		t.Errorf("back after %s: caches hold what was there\n%s", took, w.Story())
	}
}

// A rollback that the service does not take is undone like any swap.
func TestRollbackThatFails(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(15 * time.Second)
	w.Node().Stuck = true
	w.Order(rollover.Orders{Rollback: true})
	w.Run(30 * time.Second)
	if l := w.State.Lineages["mx1"]; l.Live != second || l.Held == nil || l.Held.Chain != first {
		t.Errorf("live %s, held %v\n%s", l.Live.Short(), l.Held, w.Story())
	}
}

// A person who goes back does not want the pair that is on its way either.
func TestRollbackDropsTheSuccessor(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(15 * time.Second)
	third := w.Renew(issuer)
	w.Run(5 * time.Second)
	w.Order(rollover.Orders{Rollback: true})
	w.Until(10*time.Minute, w.Done(first))
	w.Stands(w.Record(tlsa.EE, first))
	if w.State.Names(third) && w.State.Lineages["mx1"].Staged != third {
		t.Errorf("the dropped successor is remembered\n%s", w.Story())
	}
}

func TestCancel(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	w.Order(rollover.Orders{Cancel: true})
	w.Until(10*time.Minute, w.Done(first))
	w.Stands(w.Record(tlsa.EE, first))
	w.Run(time.Hour) // the same files are no new pair
	w.Stands(w.Record(tlsa.EE, first))
	third := w.Renew(issuer)
	w.Until(10*time.Minute, w.Done(third))
}

func TestObjections(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	against := func(o rollover.Orders, want string) {
		t.Helper()
		got := ""
		for _, why := range w.State.Objections("mx1", o, w.Now) {
			got += why
		}
		if got != want {
			t.Errorf("objections to %+v: %q, want %q", o, got, want)
		}
	}
	against(rollover.Orders{Cancel: true}, "nothing is on its way")
	against(rollover.Orders{Rollback: true}, "no previous pair is known (hint: tlsaroll rollover with --cert and --key brings any pair into service)")
	against(rollover.Orders{Retry: true, TTL: time.Hour, Emergency: true, Withdraw: true}, "")
	second := w.Renew(issuer)
	w.Node().Slow = 8 * time.Second
	w.Until(5*time.Minute, func() bool { return w.State.Lineages["mx1"].Swapping != nil })
	against(rollover.Orders{Cancel: true}, "a swap is under way (hint: tlsaroll rollback brings the previous pair back when it is over)")
	against(rollover.Orders{Rollback: true}, "a swap is under way (hint: it goes back by itself if the service does not take the new pair)")
	w.Until(5*time.Minute, w.Swapped(second))
	w.Until(5*time.Minute, w.Steady)
	w.Freeze(time.Time{})
	w.Run(15 * time.Second)
	against(rollover.Orders{Withdraw: true}, "the lineage is frozen (hint: tlsaroll thaw mx1 first)")
	against(rollover.Orders{Rollback: true}, "the lineage is frozen (hint: tlsaroll thaw mx1 first)")
	w.Order(rollover.Orders{Withdraw: true, Rollback: true}) // heard, and passed over
	w.Run(time.Minute)
	w.Stands(w.Record(tlsa.EE, second))
}

// DESIGN 9, withdraw: our records go at once, and the server may change when no
// cache can hold any; a person publishes again.
func TestWithdraw(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Order(rollover.Orders{Withdraw: true})
	w.Until(5*time.Second, func() bool { return w.Zone[sim.Owner25(t)].RRset.Denial() })
	out := w.Now
	w.Run(20 * time.Second) // every server
	if !w.Waits(rollover.CodeWithdrawing) {
		t.Errorf("does not say that it waits\n%s", w.Story())
	}
	over := func() bool { return !w.Waits(rollover.CodeWithdrawing) && w.Warns(rollover.CodeWithdrawn) }
	w.Until(5*time.Minute, over)
	if took := w.Now.Sub(out); took < 70*time.Second {
		t.Errorf("the server may change after %s, and caches hold answers for 70s", took)
	}
	second := w.Renew(issuer) // swapped in without records
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(time.Hour)
	if !w.Zone[sim.Owner25(t)].RRset.Denial() {
		t.Errorf("something was published\n%s", w.Story())
	}
	w.Order(rollover.Orders{Retry: true})
	w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
	w.Until(5*time.Minute, w.Steady)
}

// A pair that comes while caches hold the old records waits for them.
func TestWithdrawalHoldsTheSwap(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Order(rollover.Orders{Withdraw: true})
	w.Until(5*time.Second, func() bool { return w.Zone[sim.Owner25(t)].RRset.Denial() })
	out := w.Now
	second := w.Renew(issuer)
	w.Run(time.Minute)
	if w.State.Lineages["mx1"].Live != first {
		t.Fatalf("swapped while caches held the record of the first\n%s", w.Story())
	}
	w.Until(5*time.Minute, w.Swapped(second))
	if took := w.Now.Sub(out); took < 70*time.Second {
		t.Errorf("swapped after %s", took)
	}
}

// Records of others stay, and where they alone would refuse what is served, so do ours.
func TestWithdrawBesideForeignRecords(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	theirs := w.KeyRecord(w.NewKey())
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Run(2 * time.Minute)
	w.Order(rollover.Orders{Withdraw: true})
	w.Run(2 * time.Minute)
	w.Stands(w.Record(tlsa.EE, first), theirs)
	if !w.Waits(rollover.CodeForeignCombo) {
		t.Errorf("does not say why\n%s", w.Story())
	}
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(theirs) })
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Denial() })
}

// As long as one of them stands that matches what is served, DANE is not off: nobody is
// told that the server may have any certificate.
func TestWithdrawLeavesForeignRecords(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	theirs := w.Record(tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA256}, first)
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Run(2 * time.Minute)
	w.Order(rollover.Orders{Withdraw: true})
	w.Run(5 * time.Minute)
	w.Stands(theirs)
	if w.Warns(rollover.CodeWithdrawn) || !w.Waits(rollover.CodeForeignCombo) {
		t.Errorf("says that the server may change, or not why it may not\n%s", w.Story())
	}
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	if took := w.Until(5*time.Minute, func() bool { return w.Warns(rollover.CodeWithdrawn) }); took < sim.Ipub {
		t.Errorf("the server may change after %s, and caches hold their record\n%s", took, w.Story())
	}
}

// Nor where an endpoint is new, and nobody has looked yet.
func TestWithdrawnEndpointThatNobodyHasLookedUp(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	w.Order(rollover.Orders{Withdraw: true})
	w.Until(5*time.Minute, func() bool { return w.Warns(rollover.CodeWithdrawn) })
	w.Configure(func(p *rollover.LineagePolicy) {
		p.Endpoints = append(p.Endpoints, rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: sim.OwnerOf(t, 993, sim.MX)})
	})
	o := w.Observe()
	o.Owners = nil
	state, _ := rollover.Next(w.State, o, w.Policy, w.Now)
	for _, v := range state.Lineages["mx1"].Warnings {
		if v.Code == rollover.CodeWithdrawn {
			t.Errorf("the server may change: %s", v.Text)
		}
	}
}

// A sibling's records keep those of a lineage that is withdrawn, as they alone would
// refuse its chain; and its renewals are published and swapped in as ever.
func TestWithdrawBesideASibling(t *testing.T) {
	w := sim.NewWorld(t)
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	issuer := w.CA("Issuer A", nil)
	first, theirs := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{})
	w.Serving("mx1", first)
	w.Serving("rsa", theirs)
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Order(rollover.Orders{Withdraw: true})
	w.Run(2 * time.Minute)
	w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, theirs))
	if !w.Waits(rollover.CodeWithdrawing) {
		t.Errorf("does not say why\n%s", w.Story())
	}
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	w.Run(2 * time.Minute)
	w.Stands(w.Record(tlsa.EE, second), w.Record(tlsa.EE, theirs))
}

// So do those of a lineage that a third one keeps: mx1 shares one RRset with rsa, and
// rsa another with mail, which nobody withdraws.
func TestWithdrawBesideASiblingThatIsKept(t *testing.T) {
	w := sim.NewWorld(t)
	smtp := w.Policy.Lineages["mx1"]
	submission := rollover.Endpoint{URL: "submission://" + sim.MX, Host: sim.MX, Port: 587, Owner: sim.OwnerOf(t, 587, sim.MX)}
	rsa, mail := smtp, smtp
	rsa.Endpoints, mail.Endpoints = slices.Concat(smtp.Endpoints, []rollover.Endpoint{submission}), []rollover.Endpoint{submission}
	w.Policy.Lineages["rsa"], w.Policy.Lineages["mail"] = rsa, mail
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"], w.Hosts["mail"] = sim.NewHost("rsa", "192.0.2.1"), sim.NewHost("ecdsa", "192.0.2.1")
	issuer := w.CA("Issuer A", nil)
	for _, name := range []string{"mx1", "rsa", "mail"} {
		w.Serving(name, w.Issue(issuer, sim.Leaf{}))
	}
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Hosts["rsa"].Orders = rollover.Orders{Withdraw: true}
	w.Order(rollover.Orders{Withdraw: true})
	w.Run(2 * time.Minute)
	w.Until(5*time.Minute, w.Swapped(w.Renew(issuer)))
}

// Later words win where they differ from earlier ones that no pass has heard.
func TestOrdersJoin(t *testing.T) {
	freeze := &rollover.Freeze{}
	for _, tt := range []struct{ first, later, want rollover.Orders }{
		{rollover.Orders{Freeze: freeze}, rollover.Orders{Thaw: true}, rollover.Orders{Thaw: true}},
		{rollover.Orders{Thaw: true}, rollover.Orders{Freeze: freeze}, rollover.Orders{Freeze: freeze}},
		{rollover.Orders{Withdraw: true}, rollover.Orders{Retry: true}, rollover.Orders{Retry: true}},
		{rollover.Orders{Retry: true, TTL: time.Minute}, rollover.Orders{Withdraw: true}, rollover.Orders{Withdraw: true, TTL: time.Minute}},
		{rollover.Orders{TTL: time.Minute, Emergency: true}, rollover.Orders{TTL: time.Hour}, rollover.Orders{TTL: time.Hour, Emergency: true}},
		{rollover.Orders{Cancel: true}, rollover.Orders{Rollback: true}, rollover.Orders{Cancel: true, Rollback: true}},
	} {
		if got := tt.first.And(tt.later); got != tt.want {
			t.Errorf("%+v and %+v: %+v, want %+v", tt.first, tt.later, got, tt.want)
		}
	}
}
