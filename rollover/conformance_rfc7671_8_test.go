package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func rfc7671section8() []passage {
	return []passage{section8(), section81(), section82(), section83(), section84()}
}

// RFC 7671, section 8: what a publisher must hold at any time.
func section8() passage {
	schemes := []string{"ee", "ta", "ee+ta", "ee+standby", "ta+standby"}
	return passage{"8", 11, 0, []sentence{
		// Section 8: "each combination ... includes at least one record"
		{number: 1, name: "each combination has a record that matches the current chain", test: func(t *testing.T) {
			for _, scheme := range schemes {
				w, issuer, _ := sim.Rolled(t, scheme)
				for _, by := range others(w, issuer) {
					always(w, 30*time.Minute, w.Done(w.Renew(by)), func() string { return unmatched(w, w.Zone[sim.Owner25(t)].RRset) })
				}
			}
		}},
		// Section 8: "will be present during key rollover"
		{number: 2, name: "records of the chain to come and of the retired one stand during a rollover", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			w.Until(5*time.Second, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			w.Until(5*time.Minute, w.Swapped(second))
			w.Run(w.Policy.Timing.Retire - time.Second)
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
		}},
		// Section 8: "MUST NOT at any time be the only records published for any given combination"
		{number: 3, name: "past or future records are never the only ones of a combination", test: func(t *testing.T) {
			for _, scheme := range schemes {
				w, issuer, _ := sim.Rolled(t, "ee")
				for _, by := range others(w, issuer) {
					second := w.Renew(by)
					w.Run(20 * time.Second)
					w.Scheme(scheme) // in the midst of it
					always(w, 30*time.Minute, w.Done(second), unmatchedInCaches(w))
					w.Scheme("ee")
					w.Run(5 * time.Minute)
				}
			}
		}},
		{number: 4, name: "the process below ensures it", reason: "it announces sections 8.1 to 8.4, whose tests follow"},
		// Section 8: "authenticated when its certificate chain is matched by any"
		{number: 5, name: "a chain is authenticated by any record, and vouched for by each combination", test: func(t *testing.T) {
			w := sim.NewWorld(t)
			issuer := w.CA("Issuer A", nil)
			first, second := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{})
			s := tlsa.NewRRset(0, w.Record(tlsa.EE, first), w.Record(tlsa.TA, first))
			if err := s.Authenticates(w.Chains[second], client(w)); err != nil {
				t.Errorf("the issuer's record is not enough: %v", err)
			}
			if s.Vouches(w.Chains[second], client(w)) == nil {
				t.Error("the issuer's record is enough for clients of all kinds")
			}
		}},
		// Section 8: "may not support some digest algorithms"
		{number: 6, name: "clients of one digest or of the PKIX usages alone count", test: func(t *testing.T) {
			strong := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.SPKI, Matching: tlsa.SHA512}
			public := tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}
			for _, tt := range []struct {
				port  uint16
				added tlsa.Params
				waits bool
			}{{443, strong, true}, {443, public, true}, {25, public, false}} { // no client of SMTP supports them (RFC 7672, section 3.1.3)
				w, owner, issuer, first := settled(t, tt.port, "ee")
				w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints[0].SMTP = tt.port == 25 })
				w.Until(time.Minute, w.Steady)
				theirs := w.Record(tt.added, first)
				w.Foreign[theirs] = true
				w.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
				w.Run(5 * time.Minute)
				second := w.Renew(issuer)
				w.Run(5 * time.Minute)
				if got := w.Live() != second; got != tt.waits {
					t.Errorf("port %d with a %s of the old key alone: it waits: %t\n%s", tt.port, tt.added, got, w.Story())
				}
				w.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tt.added, second)) })
				w.Until(5*time.Minute, w.Swapped(second))
			}
		}},
		// Section 8: "only compatible with TLSA records whose certificate usage is DANE-EE(3) with selector SPKI(1)"
		{number: 7, name: "raw public keys wait for the 3 1 1, though the issuer's record matches", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee+ta")
			second := w.Renew(issuer)
			took := w.Until(5*time.Minute, w.Swapped(second))
			w.Took("the swap", took, 5*time.Second+sim.Ipub, 3*time.Second)
			if held := lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second)); len(held) > 0 {
				t.Errorf("raw public keys are refused by %v", held)
			}
		}},
		{number: 8, name: "3 0 0 may be compatible with raw public keys", reason: "it tells of clients; we publish none, and one of somebody else's has to match like any combination (sentence 1)"},
		// Section 8: "on its own, sufficient to match the server's current certificate chain"
		{number: 9, name: "each combination is on its own enough for the current chain", test: func(t *testing.T) {
			w, ecdsa, rsa, both := pair(t, "ee+ta")
			w.Until(time.Minute, both)
			w.Run(2 * time.Minute)
			w.Offer(w.Issue(rsa, sim.Leaf{}))
			w.OfferTo("rsa", w.Issue(ecdsa, sim.Leaf{}), false)
			always(w, 10*time.Minute, func() bool { return w.Swaps == 2 && both() }, refused(w))
		}},
		// Section 8: "not generate parameter combinations that only match past or future certificate chains"
		{number: 10, name: "no combination comes in that matches past or future chains alone", test: func(t *testing.T) {
			w, _, first := sim.Rolled(t, "ee")
			theirs := w.Issue(nil, sim.Leaf{}) // no 2 1 1 can match it
			old := &sim.Node{Served: theirs, Remote: true, Stuck: true}
			w.Careless = true
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, theirs)) })
			w.Run(2 * time.Minute)
			w.Hosts["mx1"].Nodes["192.0.2.2:25"] = old
			w.Run(time.Minute)
			w.Scheme("ee+ta")
			always(w, 20*time.Minute, func() bool { return w.Now.Sub(sim.Epoch) > 18*time.Minute }, func() string { return unmatched(w, w.Zone[sim.Owner25(t)].RRset) })
			if !w.Waits(rollover.CodeCombinationHeld) {
				t.Errorf("does not say what it waits for\n%s", w.Story())
			}
			old.Served = first
			w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) })
		}},
		{number: 11, name: "the rest explains how to update", reason: "it announces sections 8.1 to 8.4"},
	}}
}
