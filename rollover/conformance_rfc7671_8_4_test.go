package rollover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// RFC 7671, section 8.4: the summary.
func section84() passage {
	return passage{"8.4", 9, 0, []sentence{
		// Section 8.4: "make one change at a time"
		{number: 1, name: "one change is made at a time", test: func(t *testing.T) {
			w, ecdsa, rsa, both := pair(t, "ee+ta")
			w.Until(time.Minute, both)
			w.Run(2 * time.Minute)
			w.Node().Slow = 8 * time.Second
			w.Offer(w.Issue(rsa, sim.Leaf{}))
			w.OfferTo("rsa", w.Issue(ecdsa, sim.Leaf{}), false)
			changes := 0
			always(w, 10*time.Minute, func() bool { return w.Swaps == 2 && both() }, func() string {
				at := map[tlsa.Owner]int{}
				for _, a := range w.Plan.Actions {
					switch a := a.(type) {
					case rollover.Publish:
						at[a.Owner]++
						if len(a.Removed()) > 0 {
							return "what is published takes something out: " + a.String()
						}
					case rollover.Retire:
						at[a.Owner]++
						if len(a.Added()) > 0 {
							return "what is retired puts something in: " + a.String()
						}
					}
				}
				for owner, n := range at {
					if changes += n; n > 1 {
						return fmt.Sprintf("%d changes of %s at once", n, owner)
					}
				}
				if w.Lineage().Swapping != nil && w.State.Lineages["rsa"].Swapping != nil {
					return "two lineages are swapped together"
				}
				return ""
			})
			if changes < 2 {
				t.Errorf("%d changes were seen: nothing is tested", changes)
			}
		}},
		{number: 2, name: "the safe changes follow", reason: "it announces the list"},
		// Section 8.4: "Pre-publish new certificate associations that employ the same TLSA parameters"
		{number: 3, name: "records of a planned chain under combinations that stand are published ahead, at once", test: func(t *testing.T) {
			w, _, first := sim.Rolled(t, "ee+ta")
			w.Node().Unseen = true // no evidence is needed for it
			w.Run(5 * time.Minute)
			second := w.Renew(w.CA("Issuer B", nil))
			w.Took("publishing", w.Until(time.Minute, func() bool { return len(w.Zone[sim.Owner25(t)].RRset.Associations) > 2 }), 0, time.Second)
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.TA, first), w.Record(tlsa.EE, second), w.Record(tlsa.TA, second))
			if w.Live() != first {
				t.Error("it is deployed already")
			}
			w.Node().Unseen = false
			w.Until(10*time.Minute, w.Done(second))
		}},
		// Section 8.4: "Wait for stale TLSA RRsets to expire from DNS caches before configuring servers"
		{number: 4, name: "stale RRsets expire from caches before servers use the new chain", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 10 * time.Minute; return s })
			w.Run(time.Minute)
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Minute; return s })
			w.Run(30 * time.Second)
			second := w.Renew(issuer)
			w.Run(8 * time.Minute) // only what was cached an hour ago is left
			if w.Live() != first || len(lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second))) == 0 {
				t.Fatalf("swapped, or nobody holds a stale RRset\n%s", w.Story())
			}
			w.Until(5*time.Minute, w.Swapped(second))
			if held := lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second)); len(held) > 0 {
				t.Errorf("caches hold %v\n%s", held, w.Story())
			}
		}},
		// Section 8.4: "Remove TLSA records matching any certificate chains that are no longer deployed"
		{number: 5, name: "records of chains that are no longer deployed are removed", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee+ta")
			other := &sim.Node{Served: first, Remote: true, Stuck: true}
			w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
			w.Run(time.Minute)
			second := w.Renew(w.CA("Issuer B", nil))
			w.Until(5*time.Minute, w.Swapped(second))
			w.Run(10 * time.Minute) // deployed at one address still
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.TA, first), w.Record(tlsa.EE, second), w.Record(tlsa.TA, second))
			other.Served, other.Stuck = second, false
			w.Until(5*time.Minute, w.Steady)
			w.Stands(w.Record(tlsa.EE, second), w.Record(tlsa.TA, second))
			w.Renew(issuer)
			w.Run(30 * time.Second)
			w.Order(rollover.Orders{Cancel: true}) // and of one that never was
			w.Until(5*time.Minute, w.Steady)
			w.Stands(w.Record(tlsa.EE, second), w.Record(tlsa.TA, second))
		}},
		// Section 8.4: "match the same set of current and planned certificate chains"
		{number: 6, name: "all combinations match the same current and planned chains", test: func(t *testing.T) {
			for _, scheme := range []string{"ee+ta", "ee+ta+standby"} {
				w, issuer, _ := sim.Rolled(t, scheme)
				for _, by := range others(w, issuer) {
					w.Renew(by)
					var third tlsa.ChainID
					w.After(30*time.Second, func() { third = w.Renew(w.CA("Issuer C", nil)) })
					queued := false
					always(w, 30*time.Minute, func() bool { return third != "" && w.Done(third)() }, func() string {
						queued = queued || w.Lineage().Queued == third && third != ""
						l, s, ref := w.Lineage(), w.Zone[sim.Owner25(t)].RRset, client(w)
						for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued} {
							if chain := w.Chains[id]; chain != nil && matched(s.Associations, chain, ref) && s.Vouches(chain, ref) != nil {
								return fmt.Sprintf("some combination of %v matches %s, and another does not", s.Associations, id.Short())
							}
						}
						return ""
					})
					if !queued {
						t.Error("nothing was queued")
					}
				}
			}
		}},
		// Section 8.4: "at all times, and for each combination"
		{number: 7, name: "one record of each combination corresponds to the current chain at all times", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			other := w.CA("Issuer B", nil)
			for i, scheme := range []string{"ee+ta", "ta", "ee", "ta", "ee+ta", "ee+standby", "ee"} {
				w.Scheme(scheme)
				by := []*sim.CA{issuer, other, nil}[i%3]
				if by == nil && scheme != "ee" {
					by = issuer
				}
				second := w.Renew(by)
				w.Faults[[]string{"lost publish", "reload", "kill swap"}[i%3]] = "now"
				w.After(20*time.Second, func() { w.Faults["lost retire"] = "timeout" })
				w.After(3*time.Minute, func() { w.Order(rollover.Orders{Retry: true}) })
				always(w, 30*time.Minute, w.Done(second), unmatchedInCaches(w))
			}
		}},
		// Section 8.4: "(including unexpired RRsets in client caches)"
		{number: 8, name: "no combination matches past or future chains alone, unexpired RRsets in caches included", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee+ta")
			w.Servers[1].Lag, w.Servers[1].Queue = 2*time.Minute, true
			cached := 0 // answers that no server gives any more
			for _, by := range []*sim.CA{issuer, w.CA("Issuer B", nil), issuer} {
				always(w, 30*time.Minute, w.Done(w.Renew(by)), func() string {
					cached = max(cached, len(w.Held(sim.Owner25(t)))-len(w.Servers))
					return unmatchedInCaches(w)()
				})
			}
			if cached == 0 {
				t.Error("no cache held what no server gave: nothing is tested")
			}
		}},
		// Section 8.4: "no matter what combinations ... may be supported by a given client, they will be sufficient"
		{number: 9, name: "whatever combinations a client supports, they are enough", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee+ta")
			for _, p := range []tlsa.Params{
				{Usage: tlsa.DANETA, Selector: tlsa.Cert, Matching: tlsa.SHA256}, {Usage: tlsa.DANETA, Selector: tlsa.SPKI, Matching: tlsa.SHA512},
			} { // somebody's, which match the next chain of the issuer too
				w.Foreign[w.Record(p, first)] = true
				w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(p, first)) })
			}
			w.Run(2 * time.Minute)
			for range 3 {
				always(w, 10*time.Minute, w.Done(w.Renew(issuer)), refused(w))
			}
		}},
	}}
}
