package rollover_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// RFC 7671, section 8.1: another key, or another combination for the same key.
func section81() passage {
	return passage{"8.1", 6, 2, []sentence{
		// Section 8.1: "retaining the same set of published parameter combinations"
		{number: 1, name: "a key rollover retains the published combinations", test: func(t *testing.T) {
			for _, scheme := range []string{"ee", "ta", "ee+ta"} {
				w, issuer, _ := sim.Rolled(t, scheme)
				want := w.Zone[sim.Owner25(t)].RRset.Combinations(client(w))
				for _, by := range others(w, issuer) {
					for _, s := range history(w, sim.Owner25(t), 30*time.Minute, w.Done(w.Renew(by))) {
						if got := s.Combinations(client(w)); !slices.Equal(got, want) {
							t.Errorf("%s: %v stood, and %v before", scheme, got, want)
						}
					}
				}
			}
		}},
		// Section 8.1: "at least two Times to Live (TTLs) or longer before the new chain is deployed"
		{number: 2, name: "records of the future key come at least two TTLs before its chain", test: func(t *testing.T) {
			for _, ttl := range []time.Duration{20 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
				w, issuer, _ := sim.Rolled(t, "ee")
				w.Policy.Timing = rollover.DefaultTiming()
				w.Policy.Timing.UnknownTTL = time.Minute
				w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = ttl; return s })
				w.Run(20 * time.Minute)
				second := w.Renew(issuer)
				w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, second)) })
				took := w.Until(72*time.Hour, w.Swapped(second))
				w.Took(fmt.Sprintf("the swap after the publication, with a ttl of %s,", ttl), took, 5*time.Second+max(2*ttl, ttl+time.Hour), 2*time.Minute)
			}
		}},
		// Section 8.1: "allows the obsolete RRset to age out of client caches before the new chain is used"
		{number: 3, name: "the obsolete RRset is out of all caches before the new chain is used", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			w.Server("ns3.example.org.", 3*time.Minute)
			w.Run(time.Minute)
			second := w.Renew(issuer)
			w.Run(time.Minute)
			if len(lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second))) == 0 {
				t.Fatal("nobody holds the obsolete RRset a minute later: nothing is tested")
			}
			w.Until(10*time.Minute, func() bool { return w.Node().Served == second })
			if held := lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second)); len(held) > 0 {
				t.Errorf("caches hold %v\n%s", held, w.Story())
			}
		}},
		// Section 8.1: "deploy the new certificate chain, verify that it works, and then remove any obsolete records"
		{number: 4, name: "when all lookups give the updated records the chain is deployed, verified, and then obsolete records leave", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			w.Policy.Timing.Retire = 0
			w.Servers[1].Stuck = true
			second := w.Renew(issuer)
			w.Run(10 * time.Minute)
			if w.Live() != first {
				t.Fatalf("deployed, and some lookups give the obsolete records\n%s", w.Story())
			}
			w.Servers[1].Stuck = false
			w.Node().Stuck = true // it does not work
			w.Until(5*time.Minute, w.Swapped(second))
			w.Until(time.Minute, w.Swapped(first))
			w.Run(10 * time.Minute)
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			w.Node().Stuck, w.Node().Slow = false, 5*time.Second // now it does
			w.Order(rollover.Orders{Retry: true})
			w.Until(5*time.Minute, w.Swapped(second))
			always(w, 5*time.Minute, w.Done(second), func() string {
				if l := w.Lineage(); l.Verified.Before(l.Swapped) && !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
					return "the obsolete record left before the new chain was seen to work"
				}
				return ""
			})
		}},
		{figure: true, number: 1, name: "one record, two, and one again", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			wentBy(w, history(w, sim.Owner25(t), 10*time.Minute, w.Done(second)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, second)))
		}},
		{number: 5, name: "the next case is a new combination", reason: "it names the case of sentence 6"},
		// Section 8.1: "for the server's existing certificate chain first, and only then deploy new keys"
		{number: 6, name: "a new combination is published for the existing chain first, and only then new keys are deployed", test: func(t *testing.T) {
			for _, scheme := range []string{"ta", "ee+ta"} {
				w, issuer, _ := sim.Rolled(t, "ee")
				for name, by := range others(w, issuer) {
					first := w.Live()
					w.Scheme(scheme)
					second := w.Renew(by)
					before := history(w, sim.Owner25(t), 10*time.Minute, w.Swapped(second))
					if !slices.ContainsFunc(before, func(s tlsa.RRset) bool { return s.Has(w.Record(tlsa.TA, first)) }) {
						t.Errorf("%s, %s: the existing chain's 2 1 1 never stood\n%s", scheme, name, w.Story())
					}
					if held := lacking(w, sim.Owner25(t), w.Record(tlsa.TA, second)); len(held) > 0 {
						t.Errorf("%s, %s: new keys were deployed, and caches held %v\n%s", scheme, name, held, w.Story())
					}
					w.Until(10*time.Minute, w.Done(second))
					w.Scheme("ee")
					w.Run(5 * time.Minute)
				}
			}
		}},
		{figure: true, number: 2, name: "the same key is published again under another usage", test: func(t *testing.T) {
			public := tlsa.Params{Usage: tlsa.PKIXEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}
			w, owner, _, first := settled(t, 443, "ee", public)
			wentBy(w, history(w, owner, 5*time.Minute, func() bool { return w.Steady() && !w.Zone[owner].RRset.HasParams(public) }),
				tlsa.NewRRset(0, w.Record(public, first)),
				tlsa.NewRRset(0, w.Record(public, first), w.Record(tlsa.EE, first)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first)))
		}},
	}}
}
