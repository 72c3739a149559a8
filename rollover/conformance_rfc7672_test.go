package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// aliased is a world in which the owner names of two hosts are aliases of one
// name, whose 2 1 1 both rely on.
func aliased(t *testing.T) (w *sim.World, target tlsa.Owner, issuer *sim.CA) {
	t.Helper()
	w = sim.NewWorld(t)
	w.Scheme("ta")
	target = "_dane.example.org."
	const host = "mx2.example.org"
	p := w.Policy.Lineages["mx1"]
	p.Endpoints = []rollover.Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: sim.OwnerOf(t, 25, host)}}
	w.Policy.Lineages["mx2"] = p
	w.Hosts["mx2"] = sim.NewHost("any", "192.0.2.2:25")
	w.Target[sim.Owner25(t)], w.Target[sim.OwnerOf(t, 25, host)] = target, target
	issuer = w.CA("Issuer A", nil)
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{}))
	w.Serving("mx2", w.Issue(issuer, sim.Leaf{Names: []string{host}}))
	w.Until(time.Minute, func() bool { return w.Steady() && w.State.Lineages["mx2"].Live != "" })
	w.Run(5 * time.Minute)
	return w, target, issuer
}

// RFC 7672, section 4: the keys of mail servers.
func rfc7672section4() []passage {
	return []passage{{"4", 12, 0, []sentence{
		// Section 4: "Two TLSA records MUST be published before employing a new EE or TA public key or certificate"
		{number: 1, name: "two records are published before a new EE or TA key is employed", test: func(t *testing.T) {
			for scheme, p := range map[string]tlsa.Params{"ee": tlsa.EE, "ta": tlsa.TA} {
				w, _, first := sim.Rolled(t, scheme)
				second := w.Renew(w.CA("Issuer B", nil))
				w.Until(5*time.Minute, func() bool { return w.Node().Served == second })
				for _, a := range []tlsa.Association{w.Record(p, first), w.Record(p, second)} {
					if held := lacking(w, sim.Owner25(t), a); len(held) > 0 {
						t.Errorf("%s: employed, and %v may be held", scheme, held)
					}
				}
				w.Stands(w.Record(p, first), w.Record(p, second))
			}
		}},
		// Section 4: "for all DNS caches to expire the previous TLSA RRset and related signature RRsets"
		{number: 2, name: "a new key or anchor is used when all caches have expired the previous RRset and its signatures", test: func(t *testing.T) {
			for _, scheme := range []string{"ee", "ta"} {
				w, _, first := sim.Rolled(t, scheme)
				w.Servers[1].View = func(v *rollover.ServerView) { v.Answer.Value.TTL = 5 * time.Minute } // of the signatures
				w.Run(time.Minute)
				second := w.Renew(w.CA("Issuer B", nil))
				w.Run(5 * time.Minute)
				if w.Live() != first {
					t.Errorf("%s: used while caches may hold the signatures\n%s", scheme, w.Story())
				}
				w.Until(time.Minute, w.Swapped(second))
			}
		}},
		// Section 4: "leaving only RRs that match keys or certificates in active use"
		{number: 3, name: "once the new key is in use only records of what is in active use are left", test: func(t *testing.T) {
			for scheme, p := range map[string]tlsa.Params{"ee": tlsa.EE, "ta": tlsa.TA} {
				w, _, first := sim.Rolled(t, scheme)
				other := &sim.Node{Served: first, Remote: true, Slow: 2 * time.Minute}
				w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
				w.Run(time.Minute)
				second := w.Renew(w.CA("Issuer B", nil))
				always(w, 10*time.Minute, w.Done(second), func() string {
					if (w.Node().Served == first || other.Served == first) && !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(p, first)) {
						return "the record of a key in use was removed"
					}
					return ""
				})
				w.Stands(w.Record(p, second))
			}
		}},
		// Section 4: "the responsibility of updating the TLSA RRset shifts to the operator of the trust anchor"
		{number: 4, name: "behind an alias the RRset is updated where it stands, by whoever holds that zone", test: func(t *testing.T) {
			w, target, _ := aliased(t)
			second := w.Renew(w.CA("Issuer B", nil))
			w.Until(10*time.Minute, w.Done(second))
			if !w.Zone[target].RRset.Has(w.Record(tlsa.TA, second)) || !w.Zone[sim.Owner25(t)].RRset.Denial() {
				t.Errorf("it is not updated at the alias's target alone\n%s", w.Story())
			}
			w.Provider = "" // the operator of the trust anchor is somebody else
			w.Run(time.Minute)
			stood := w.Zone[target].RRset
			third := w.Renew(w.CA("Issuer C", nil))
			w.Run(5 * time.Minute)
			if w.Live() == third || !w.Zone[target].RRset.Same(stood) || !w.Waits(rollover.CodeNoProvider) {
				t.Errorf("swapped or written without them, or nobody was told\n%s", w.Story())
			}
			w.Edit(target, func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.TA, third)) })
			w.Until(5*time.Minute, w.Swapped(third))
		}},
		// Section 4: "Before a new trust anchor is used to sign any new server certificates"
		{number: 5, name: "the digest of a new trust anchor is added before it signs", test: func(t *testing.T) {
			w, target, _ := aliased(t)
			first := w.Live()
			second := w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
			w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = []tlsa.Association{w.Record(tlsa.TA, second)} })
			w.Until(time.Minute, func() bool { return w.Zone[target].RRset.Has(w.Record(tlsa.TA, second)) })
			if !w.Zone[target].RRset.Has(w.Record(tlsa.TA, first)) || w.Live() != first {
				t.Errorf("not beside the anchor in use\n%s", w.Story())
			}
		}},
		// Section 4: "After enough time elapses for the original TLSA RRset to age out of DNS caches"
		{number: 6, name: "the new trust anchor issues when the original RRset is out of all caches", test: func(t *testing.T) {
			for _, ahead := range []time.Duration{0, 5 * time.Minute} {
				w, target, _ := aliased(t)
				second := w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
				w.Configure(func(p *rollover.LineagePolicy) { p.Issuers = []tlsa.Association{w.Record(tlsa.TA, second)} })
				published := w.Now
				w.Run(ahead)
				w.Offer(second)
				took := w.Until(10*time.Minute, w.Swapped(second))
				if held := lacking(w, target, w.Record(tlsa.TA, second)); len(held) > 0 {
					t.Errorf("%s after the record was published caches hold %v\n%s", w.Now.Sub(published), held, w.Story())
				}
				if ahead > 0 && took > time.Second {
					t.Errorf("it waits for %s, and the anchor was published %s ago\n%s", took, ahead, w.Story())
				}
			}
		}},
		// Section 4: "Once all certificates issued under the previous trust anchor have expired"
		{number: 7, name: "the previous trust anchor's record leaves when no certificate under it is left", test: func(t *testing.T) {
			w, target, _ := aliased(t)
			next := w.CA("Issuer B", nil)
			previous := w.Record(tlsa.TA, w.Live())
			second := w.Renew(next)
			w.Until(5*time.Minute, w.Swapped(second))
			w.Run(time.Hour)
			if !w.Zone[target].RRset.Has(previous) {
				t.Fatalf("the other host has a certificate under it still\n%s", w.Story())
			}
			w.OfferTo("mx2", w.Issue(next, sim.Leaf{Names: []string{"mx2.example.org"}}), false)
			w.Until(10*time.Minute, func() bool { return w.Zone[target].RRset.Same(tlsa.NewRRset(0, w.Record(tlsa.TA, second))) })
		}},
		// Section 4: "do not generally need to update DNS TLSA records after initially creating a CNAME record"
		{number: 8, name: "a renewal under the same anchor changes no record, and waits for none", test: func(t *testing.T) {
			w, target, issuer := aliased(t)
			stood := w.Zone[target]
			for range 3 {
				second := w.Renew(issuer)
				w.Took("the swap", w.Until(time.Minute, w.Swapped(second)), 0, time.Second)
				w.Until(5*time.Minute, w.Done(second))
			}
			if now := w.Zone[target]; now.Born != stood.Born || !w.Zone[sim.Owner25(t)].RRset.Denial() {
				t.Errorf("records were changed\n%s", w.Story())
			}
		}},
		// Section 4: "its TLSA CNAME SHOULD be replaced with a DANE-EE(3) association"
		{number: 9, name: "a compromised server's alias gives way to a DANE-EE record, and comes back", test: func(t *testing.T) {
			w, target, issuer := aliased(t)
			shared := w.Zone[target].RRset
			w.Careless = true // a person takes the alias out
			delete(w.Target, sim.Owner25(t))
			w.Scheme("ee")
			w.Run(time.Second)
			w.Order(rollover.Orders{Emergency: true})
			second := w.Issue(issuer, sim.Leaf{})
			w.OfferTo("mx1", second, true)
			w.Until(10*time.Minute, w.Done(second))
			w.Stands(w.Record(tlsa.EE, second))
			if !w.Zone[target].RRset.Same(shared) {
				t.Errorf("the other host's anchor was touched\n%s", w.Story())
			}
			w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
			w.Target[sim.Owner25(t)] = target
			w.Scheme("ta")
			w.Plan = rollover.Plan{} // look at once
			w.Run(5 * time.Minute)
			w.Careless = false
			third := w.Renew(issuer)
			w.Until(10*time.Minute, w.Done(third))
			if !w.Zone[target].RRset.Same(shared) || !w.Zone[sim.Owner25(t)].RRset.Denial() {
				t.Errorf("more than the alias is left\n%s", w.Story())
			}
		}},
		// Section 4: "containing just the new TA"
		{number: 10, name: "after the anchor is compromised the RRset holds just the new one", test: func(t *testing.T) {
			w, _, _ := sim.Rolled(t, "ta")
			w.Policy.Timing.Retire = 24 * time.Hour
			second := w.Issue(w.CA("Issuer B", nil), sim.Leaf{})
			w.Order(rollover.Orders{Emergency: true})
			w.OfferTo("mx1", second, true)
			w.Until(5*time.Minute, w.Done(second))
			w.Stands(w.Record(tlsa.TA, second))
		}},
		{number: 11, name: "clients of SMTP do not ask for revocation", reason: "it tells of clients; what is done instead is in sentence 12"},
		// Section 4: "can be "revoked" by removing them from the DNS"
		{number: 12, name: "a compromised key is revoked by taking its record out, and stays out", test: func(t *testing.T) {
			w, issuer, first := sim.Rolled(t, "ee")
			w.Policy.Timing.Retire = 24 * time.Hour
			w.Order(rollover.Orders{Emergency: true})
			second := w.Issue(issuer, sim.Leaf{})
			w.OfferTo("mx1", second, true)
			w.Until(5*time.Minute, w.Swapped(second))
			w.Took("the revocation", w.Until(5*time.Minute, w.Done(second)), 0, 30*time.Second)
			w.Stands(w.Record(tlsa.EE, second))
			w.Policy.Timing.Retire = 30 * time.Second
			w.Run(time.Minute)
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, first)) }) // a backup
			w.Until(5*time.Minute, func() bool { return !w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
			w.Stands(w.Record(tlsa.EE, second))
		}},
	}}}
}
