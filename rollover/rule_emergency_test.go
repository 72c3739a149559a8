package rollover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A person who knows what it costs has the successor of a compromised key swapped in as
// soon as every server has its record, and caches are not waited for.
func TestEmergencyAtOnce(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Careless, w.Forced, w.Weak = true, true, true
	prices := w.State.Emergency("mx1", w.Policy, nil, w.Now)
	if len(prices) != 1 || prices[0].Owner != sim.Owner25(t) || !prices[0].Until.Equal(w.Now.Add(sim.Ipub)) {
		t.Errorf("the price is %v, want %s from now", prices, sim.Ipub)
	}
	second := w.Issue(issuer, sim.Leaf{})
	if got := w.State.Emergency("mx1", w.Policy, w.Chains[second], w.Now); len(got) != 1 || got[0] != prices[0] {
		t.Errorf("the price of a pair that is there is %v, want %v", got, prices)
	}
	w.Order(rollover.Orders{Emergency: true, AtOnce: true})
	w.OfferTo("mx1", second, true)
	if took := w.Until(2*time.Minute, w.Swapped(second)); took < 30*time.Second || took > sim.Ipub-10*time.Second { // three looks at every server
		t.Errorf("swapped after %s\n%s", took, w.Story())
	}
	if !w.State.EmergencyGoesOn("mx1") {
		t.Error("another key is live, and the emergency is not over: said again, it would be about that key")
	}
	w.Until(time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Run(5 * time.Minute)
	w.Stands(w.Record(tlsa.EE, second))
	if l := w.Lineage(); !w.Steady() || !l.Emergency.IsZero() || l.AtOnce != "" || w.State.EmergencyGoesOn("mx1") {
		t.Errorf("the emergency is not over\n%s", w.Story())
	}
	third := w.Renew(issuer) // is no emergency's
	if took := w.Until(5*time.Minute, w.Swapped(third)); took < sim.Ipub {
		t.Errorf("the next one was swapped in after %s", took)
	}
}

// Nor are they after a crash in the middle of that swap: the way back leads to the
// compromised key.
func TestInterruptedEmergencyAtOnceGoesOn(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Careless, w.Forced, w.Weak = true, true, true
	second := w.Issue(issuer, sim.Leaf{})
	w.Order(rollover.Orders{Emergency: true, AtOnce: true})
	w.OfferTo("mx1", second, true)
	w.Faults["kill swap"] = "now"
	w.Until(5*time.Minute, func() bool { return w.Faults["kill swap"] == "" })
	h := w.Hosts["mx1"]
	h.Live, h.Installed = second, second
	w.Run(15 * time.Second)
	if w.Live() != second || w.Node().Served != second {
		t.Errorf("back to the compromised %s\n%s", first.Short(), w.Story())
	}
}

// What is at once is one pair. Another one that comes in the emergency waits.
func TestEmergencyAtOnceIsForOnePair(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Weak = true
	second := w.Issue(issuer, sim.Leaf{})
	w.Order(rollover.Orders{Emergency: true, AtOnce: true})
	w.OfferTo("mx1", second, true)
	w.Run(2 * time.Second)
	third := w.Issue(issuer, sim.Leaf{})
	w.Order(rollover.Orders{Emergency: true})
	w.OfferTo("mx1", third, true)
	if took := w.Until(5*time.Minute, w.Swapped(third)); took < sim.Ipub {
		t.Errorf("swapped after %s\n%s", took, w.Story())
	}
}

// A compromised key is never taken again: not from files, not by a person's word, not by
// a rollback.
func TestCompromisedKey(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+standby")
	bad, next := w.NewKey(), w.NewKey()
	w.Hosts["mx1"].Standby = w.KeyRecord(bad)
	w.Run(5 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Key: bad})
	w.Hosts["mx1"].Standby = w.KeyRecord(next)
	w.OfferTo("mx1", second, true)
	w.Until(10*time.Minute, w.Done(second))
	w.Run(5 * time.Minute)

	if prices := w.State.Emergency("mx1", w.Policy, nil, w.Now); len(prices) > 0 {
		t.Errorf("with a standby key it costs %v", prices)
	}
	again := w.Issue(issuer, sim.Leaf{Key: bad})
	if why := w.State.AgainstEmergency("mx1", w.Chains[again]); !strings.Contains(why, "has the same key as the live one") {
		t.Errorf("against a pair of the compromised key: %q", why)
	}
	third := w.Issue(issuer, sim.Leaf{Key: next})
	if why := w.State.AgainstEmergency("mx1", w.Chains[third]); why != "" {
		t.Errorf("against a pair of the standby key: %q", why)
	}
	w.Offer(again) // is on its way already
	w.Run(2 * time.Second)
	w.Hosts["mx1"].Standby = tlsa.Association{}
	w.Order(rollover.Orders{Emergency: true})
	w.OfferTo("mx1", third, true)
	w.Until(5*time.Second, w.Swapped(third))
	w.Until(5*time.Minute, w.Done(third))
	if why := w.State.Objections("mx1", rollover.Orders{Rollback: true}, w.Now); len(why) != 1 || !strings.Contains(why[0], "was declared compromised at") {
		t.Errorf("objections to a rollback: %q", why)
	}
	w.Stands(w.Record(tlsa.EE, third))
	if why := w.State.AgainstEmergency("mx1", w.Chains[again]); !strings.Contains(why, "has a key that was declared compromised at") {
		t.Errorf("against a pair of a key that was compromised: %q", why)
	}
	for _, explicit := range []bool{false, true} {
		w.OfferTo("mx1", w.Issue(issuer, sim.Leaf{Key: bad}), explicit)
		w.Run(time.Second)
		if !w.Waits(rollover.CodeKeyCompromised) || w.Lineage().Successor != "" {
			t.Errorf("explicit %t: taken\n%s", explicit, w.Story())
		}
		w.Run(5 * time.Minute)
		w.Stands(w.Record(tlsa.EE, third))
	}
}

// A signed answer with the record of a compromised key can be replayed until the
// signature's end, whatever stands by then.
func TestReplay(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Security = rollover.Secure
	w.Run(20 * time.Minute)
	until := w.State.Signed("mx1", w.Policy)
	if until.IsZero() {
		t.Fatalf("nothing is signed\n%s", w.Story())
	}
	second := w.Issue(issuer, sim.Leaf{})
	w.Order(rollover.Orders{Emergency: true})
	w.OfferTo("mx1", second, true)
	w.Until(10*time.Minute, w.Done(second))
	v, told := w.Warned(rollover.CodeReplay)
	c := w.Lineage().Compromised
	if !told || len(c) != 1 || c[0].SPKI != w.Chains[first].SPKI() || c[0].Replay.Before(until) || !strings.Contains(v.Text, rollover.Stamp(c[0].Replay)) {
		t.Fatalf("told %t: %+v, remembered %+v", told, v, c)
	}
	w.Now = c[0].Replay.Add(-time.Hour) // without a daemon, which would look and look
	w.Run(30 * time.Minute)
	if !w.Warns(rollover.CodeReplay) {
		t.Errorf("not told before the signature's end\n%s", w.Story())
	}
	w.Run(time.Hour)
	if w.Warns(rollover.CodeReplay) {
		t.Errorf("told after the signature's end\n%s", w.Story())
	}
}

// The pair that follows is so quick that it is live before a pass hears of the emergency:
// the key that was live when that was declared is the compromised one.
func TestEmergencyIsOvertakenByItsPair(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+standby")
	leaked := w.Chains[w.Live()].SPKI()
	key := w.NewKey()
	w.Hosts["mx1"].Standby = w.KeyRecord(key)
	w.Run(5 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.OfferTo("mx1", second, true)
	w.Until(time.Minute, w.Swapped(second))
	w.Hosts["mx1"].Standby = tlsa.Association{}
	w.Order(rollover.Orders{Emergency: true, AtOnce: true, Leaked: leaked})
	w.Until(5*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
	if c := w.Lineage().Compromised; len(c) != 1 || c[0].SPKI != leaked {
		t.Errorf("compromised: %+v, want %s", c, leaked)
	}
}

// A server that goes on with the compromised key, or comes back with it, is no reason to
// publish the record of that key again.
func TestCompromisedRecordStaysOut(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	other := &sim.Node{Served: first, Remote: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Run(5 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{})
	w.Order(rollover.Orders{Emergency: true})
	w.OfferTo("mx1", second, true)
	w.Until(10*time.Minute, w.Done(second))
	w.Stands(w.Record(tlsa.EE, second))
	w.Careless = true
	other.Served, other.Stuck = first, true
	w.Run(5 * time.Minute)
	w.Stands(w.Record(tlsa.EE, second))
	if v, told := w.Warned(rollover.CodeServedUnmatched); !told || v.About != "192.0.2.2:25" || !strings.Contains(v.Text, "none is to: its key was declared compromised") {
		t.Errorf("nobody is told of what it presents\n%s", w.Story())
	}
}
