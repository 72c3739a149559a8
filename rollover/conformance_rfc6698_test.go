package rollover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// RFC 6698, appendix A.4: the handling of certificate rollover. Its service is on
// port 990, and so is that of the figures here; its records are 1 1 1, where ours
// are 3 1 1.
func rfc6698appendixA4() []passage {
	return []passage{{"A.4", 7, 3, []sentence{
		// Appendix A.4: "the pre-publish key rollover method"
		{number: 1, name: "a rollover goes the way of pre-published keys", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			w.Freeze(w.Now.Add(3 * time.Minute)) // while frozen it can be seen ready
			var phases []rollover.Phase
			second := w.Renew(issuer)
			w.Until(10*time.Minute, func() bool {
				if p := w.Lineage().Phase; p != "" && (len(phases) == 0 || phases[len(phases)-1] != p) {
					phases = append(phases, p)
				}
				return w.Done(second)()
			})
			if want := []rollover.Phase{rollover.Steady, rollover.Generated, rollover.Published, rollover.Ready, rollover.Retiring, rollover.Steady}; !slices.Equal(phases, want) {
				t.Errorf("the phases were %v, want %v\n%s", phases, want, w.Story())
			}
		}},
		{number: 2, name: "a service on port 990 has a single record", reason: "it is where the figures begin"},
		{figure: true, number: 1, name: "one record", reason: "it is where the test of figure 3 begins"},
		// Appendix A.4: "generate the new TLSA record"
		{number: 3, name: "the new record is generated from the new certificate or key", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee+standby")
			key := w.NewKey() // before it has a certificate
			w.Hosts["mx1"].Standby = w.KeyRecord(key)
			w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.KeyRecord(key)) })
			second := w.Issue(issuer, sim.Leaf{Key: key})
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			third := w.Renew(issuer)
			w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, third)) })
			if _, err := w.Chains[third].Match(w.Record(tlsa.EE, third), client(w)); err != nil {
				t.Error(err)
			}
		}},
		// Appendix A.4: "Add that record alongside the old one"
		{number: 4, name: "the new record is added alongside the old one", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			theirs := w.KeyRecord(w.NewKey())
			w.Foreign[theirs] = true
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
			w.Run(2 * time.Minute)
			second := w.Renew(issuer)
			w.Until(time.Minute, func() bool { return len(w.Plan.Actions) > 0 })
			p, publishes := w.Plan.Actions[0].(rollover.Publish)
			if !publishes || len(p.Removed()) > 0 || !slices.Equal(p.Added(), []tlsa.Association{w.Record(tlsa.EE, second)}) {
				t.Errorf("it begins with %v", w.Plan.Actions)
			}
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second), theirs)
		}},
		{figure: true, number: 2, name: "the old record and the new one", reason: "it is the middle of the test of figure 3"},
		// Appendix A.4: "have propagated to the authoritative nameservers and the TTL of the old record has expired"
		{number: 5, name: "the server switches when all nameservers have the new record and the old one's TTL has expired", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			w.Policy.Timing.TTLs, w.Policy.Timing.Floor = 1, 0 // to the letter
			w.Servers[1].Lag = 4 * time.Minute
			second := w.Renew(issuer)
			took := w.Until(20*time.Minute, w.Swapped(second))
			w.Took("the switch", took, 4*time.Minute+time.Minute, 5*time.Second)
			w.Until(10*time.Minute, w.Steady)
			w.Servers[1].Hidden = true // whether it has the next one nobody knows
			third := w.Renew(issuer)
			w.Run(20 * time.Minute)
			if w.Live() == third {
				t.Errorf("switched\n%s", w.Story())
			}
		}},
		// Appendix A.4: "Once this has occurred, the old TLSA record can be removed"
		{number: 6, name: "the old record is removed once the server has switched, not before", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			w.Faults["check"] = "postfix check: fatal"
			second := w.Renew(issuer)
			w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
			w.Run(30 * time.Minute)
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			w.Order(rollover.Orders{Retry: true})
			always(w, 10*time.Minute, w.Done(second), func() string {
				if w.Node().Served == first && !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) {
					return "removed before the server has switched"
				}
				return ""
			})
			w.Stands(w.Record(tlsa.EE, second))
		}},
		{figure: true, number: 3, name: "one record, two, and the new one alone", test: func(t *testing.T) {
			w, owner, issuer, first := settled(t, 990, "ee")
			w.Until(time.Minute, w.Steady)
			w.Run(5 * time.Minute)
			second := w.Renew(issuer)
			wentBy(w, history(w, owner, 10*time.Minute, w.Done(second)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, second)))
		}},
		// Appendix A.4: "This completes the certificate rollover"
		{number: 7, name: "then the rollover is complete", test: func(t *testing.T) {
			w, issuer, _ := sim.Rolled(t, "ee")
			second := w.Renew(issuer)
			w.Until(10*time.Minute, func() bool {
				return w.Live() == second && w.Zone[sim.Owner25(t)].RRset.Same(tlsa.NewRRset(0, w.Record(tlsa.EE, second)))
			})
			w.Run(20 * time.Second) // until every server has seen it leave
			stood, end := w.Zone[sim.Owner25(t)], w.Now.Add(2*time.Hour)
			always(w, 3*time.Hour, func() bool { return w.Now.After(end) }, func() string {
				if l := w.Lineage(); l.Phase != rollover.Steady || len(l.Waiting) > 0 || w.Zone[sim.Owner25(t)].Born != stood.Born || w.Swaps != 1 {
					return "something is left to do"
				}
				return ""
			})
		}},
	}}}
}
