package rollover

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// order has the next pass hear a person's words about lineage mx1.
func (w *world) order(o Orders) {
	w.hosts["mx1"].orders = w.hosts["mx1"].orders.And(o)
}

// DESIGN 9: the previous pair comes back at once while every answer that may be
// held matches it.
func TestRollbackAtOnce(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(15 * time.Second) // verified, and both records stand
	asked := w.now
	w.order(Orders{Rollback: true})
	w.until(5*time.Second, w.swapped(first))
	if l := w.state.Lineages["mx1"]; l.Previous != second || l.Successor != "" || l.Held != nil {
		t.Errorf("after the rollback: previous %s, successor %s, held %v", l.Previous.Short(), l.Successor.Short(), l.Held)
	}
	t.Logf("back after %s", w.now.Sub(asked))
	w.until(10*time.Minute, w.done(first))
	w.stands(w.record(tlsa.EE, first))
	w.run(time.Hour)
	w.stands(w.record(tlsa.EE, first)) // what was rolled back does not come again
}

// Once the previous pair's record is gone from some answer, it is a rollover like
// any other.
func TestRollbackOfARetiredPair(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(10*time.Minute, w.done(second))
	w.stands(w.record(tlsa.EE, second))
	w.order(Orders{Rollback: true})
	w.run(30 * time.Second)
	if w.state.Lineages["mx1"].Live != second || !w.waits(CodeVersionAlive) {
		t.Errorf("did not wait for caches\n%s", w.story())
	}
	w.until(10*time.Minute, w.done(first))
	w.stands(w.record(tlsa.EE, first))
}

// What some cache may hold of unknown content, it may match the live pair alone.
func TestRollbackBesideTheUnknown(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(15 * time.Second)
	ledger := w.state.Owners[owner25(t)]
	ledger.Versions = append(ledger.Versions, Version{Unknown: true, Served: w.now, RRset: tlsa.RRset{TTL: 2 * time.Minute}})
	w.state.Owners[owner25(t)] = ledger
	w.order(Orders{Rollback: true})
	w.run(time.Minute)
	if w.state.Lineages["mx1"].Live != second || !w.waits(CodeVersionAlive) {
		t.Errorf("did not wait for caches\n%s", w.story())
	}
	w.until(10*time.Minute, w.done(first))
}

// A rollback that the service does not take is undone like any swap.
func TestRollbackThatFails(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(15 * time.Second)
	w.node().stuck = true
	w.order(Orders{Rollback: true})
	w.run(30 * time.Second)
	if l := w.state.Lineages["mx1"]; l.Live != second || l.Held == nil || l.Held.Chain != first {
		t.Errorf("live %s, held %v\n%s", l.Live.Short(), l.Held, w.story())
	}
}

// A person who goes back does not want the pair that is on its way either.
func TestRollbackDropsTheSuccessor(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(15 * time.Second)
	third := w.renew(issuer)
	w.run(5 * time.Second)
	w.order(Orders{Rollback: true})
	w.until(10*time.Minute, w.done(first))
	w.stands(w.record(tlsa.EE, first))
	if w.state.Names(third) && w.state.Lineages["mx1"].Staged != third {
		t.Errorf("the dropped successor is remembered\n%s", w.story())
	}
}

func TestCancel(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, second)) })
	w.order(Orders{Cancel: true})
	w.until(10*time.Minute, w.done(first))
	w.stands(w.record(tlsa.EE, first))
	w.run(time.Hour) // the same files are no new pair
	w.stands(w.record(tlsa.EE, first))
	third := w.renew(issuer)
	w.until(10*time.Minute, w.done(third))
}

func TestObjections(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	against := func(o Orders, want string) {
		t.Helper()
		got := ""
		for _, why := range w.state.Objections("mx1", o, w.now) {
			got += why
		}
		if got != want {
			t.Errorf("objections to %+v: %q, want %q", o, got, want)
		}
	}
	against(Orders{Cancel: true}, "nothing is on its way")
	against(Orders{Rollback: true}, "no previous pair is known (hint: tlsaroll rollover with --cert and --key brings any pair into service)")
	against(Orders{Retry: true, TTL: time.Hour, Emergency: true, Withdraw: true}, "")
	second := w.renew(issuer)
	w.node().slow = 8 * time.Second
	w.until(5*time.Minute, func() bool { return w.state.Lineages["mx1"].Swapping != nil })
	against(Orders{Cancel: true}, "a swap is under way (hint: tlsaroll rollback brings the previous pair back when it is over)")
	against(Orders{Rollback: true}, "a swap is under way (hint: it goes back by itself if the service does not take the new pair)")
	w.until(5*time.Minute, w.swapped(second))
	w.until(5*time.Minute, w.steady)
	w.freeze(time.Time{})
	w.run(15 * time.Second)
	against(Orders{Withdraw: true}, "the lineage is frozen (hint: tlsaroll thaw first)")
	against(Orders{Rollback: true}, "the lineage is frozen (hint: tlsaroll thaw first)")
	w.order(Orders{Withdraw: true, Rollback: true}) // heard, and passed over
	w.run(time.Minute)
	w.stands(w.record(tlsa.EE, second))
}

// DESIGN 9, withdraw: our records go at once, and the server may change when no
// cache can hold any; a person publishes again.
func TestWithdraw(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.order(Orders{Withdraw: true})
	w.until(5*time.Second, func() bool { return w.zone[owner25(t)].rrset.Denial() })
	out := w.now
	w.run(20 * time.Second) // every server
	if !w.waits(CodeWithdrawing) {
		t.Errorf("does not say that it waits\n%s", w.story())
	}
	over := func() bool { return !w.waits(CodeWithdrawing) && w.warns(CodeWithdrawn) }
	w.until(5*time.Minute, over)
	if took := w.now.Sub(out); took < 70*time.Second {
		t.Errorf("the server may change after %s, and caches hold answers for 70s", took)
	}
	second := w.renew(issuer) // swapped in without records
	w.until(5*time.Minute, w.swapped(second))
	w.run(time.Hour)
	if !w.zone[owner25(t)].rrset.Denial() {
		t.Errorf("something was published\n%s", w.story())
	}
	w.order(Orders{Retry: true})
	w.until(5*time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, second)) })
	w.until(5*time.Minute, w.steady)
}

// A pair that comes while caches hold the old records waits for them.
func TestWithdrawalHoldsTheSwap(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.order(Orders{Withdraw: true})
	w.until(5*time.Second, func() bool { return w.zone[owner25(t)].rrset.Denial() })
	out := w.now
	second := w.renew(issuer)
	w.run(time.Minute)
	if w.state.Lineages["mx1"].Live != first {
		t.Fatalf("swapped while caches held the record of the first\n%s", w.story())
	}
	w.until(5*time.Minute, w.swapped(second))
	if took := w.now.Sub(out); took < 70*time.Second {
		t.Errorf("swapped after %s", took)
	}
}

// Records of others stay, and where they alone would refuse what is served, so do ours.
func TestWithdrawBesideForeignRecords(t *testing.T) {
	w, _, first := rolled(t, "ee")
	theirs := w.keyRecord(w.newKey())
	w.foreign[theirs] = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.run(2 * time.Minute)
	w.order(Orders{Withdraw: true})
	w.run(2 * time.Minute)
	w.stands(w.record(tlsa.EE, first), theirs)
	if !w.waits(CodeForeignCombo) {
		t.Errorf("does not say why\n%s", w.story())
	}
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(theirs) })
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.Denial() })
}

// Later words win where they differ from earlier ones that no pass has heard.
func TestOrdersJoin(t *testing.T) {
	freeze := &Freeze{}
	for _, tt := range []struct{ first, later, want Orders }{
		{Orders{Freeze: freeze}, Orders{Thaw: true}, Orders{Thaw: true}},
		{Orders{Thaw: true}, Orders{Freeze: freeze}, Orders{Freeze: freeze}},
		{Orders{Withdraw: true}, Orders{Retry: true}, Orders{Retry: true}},
		{Orders{Retry: true, TTL: time.Minute}, Orders{Withdraw: true}, Orders{Withdraw: true, TTL: time.Minute}},
		{Orders{TTL: time.Minute, Emergency: true}, Orders{TTL: time.Hour}, Orders{TTL: time.Hour, Emergency: true}},
		{Orders{Cancel: true}, Orders{Rollback: true}, Orders{Cancel: true, Rollback: true}},
	} {
		if got := tt.first.And(tt.later); got != tt.want {
			t.Errorf("%+v and %+v: %+v, want %+v", tt.first, tt.later, got, tt.want)
		}
	}
}
