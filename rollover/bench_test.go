package rollover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
)

// BenchmarkNextSteady is one pass over a lineage at rest, with everything looked
// at: one endpoint, three servers, two addresses.
func BenchmarkNextSteady(b *testing.B) {
	w := sim.NewWorld(b)
	w.Server("ns3.example.org.", 0)
	w.Hosts["mx1"] = sim.NewHost("any", "192.0.2.1:25", "192.0.2.2:25")
	w.Serving("mx1", w.Issue(w.CA("Issuer A", nil), sim.Leaf{}))
	w.Until(5*time.Minute, w.Steady)
	w.Run(10 * time.Minute)
	w.Plan = rollover.Plan{}
	o := w.Observe()
	now := w.Now.Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		_, plan := rollover.Next(w.State, o, w.Policy, now)
		if len(plan.Actions) > 0 {
			b.Fatal(plan.Actions)
		}
	}
}

// BenchmarkNextGroup is one pass over many lineages with owner names of their
// own, in one group.
func BenchmarkNextGroup(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := sim.NewWorld(b)
			ca := w.CA("Issuer A", nil)
			for i := range n {
				name := fmt.Sprintf("mx%d", i+1)
				host := name + ".example.org"
				w.Policy.Lineages[name] = rollover.LineagePolicy{Scheme: rollover.Scheme{EE: true}, TA: rollover.Intermediate, TTL: time.Minute,
					Endpoints: []rollover.Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: sim.OwnerOf(b, 25, host)}}}
				w.Hosts[name] = sim.NewHost("any", fmt.Sprintf("192.0.2.%d:25", i%250+1))
				w.Serving(name, w.Issue(ca, sim.Leaf{Names: []string{host}}))
			}
			w.Until(5*time.Minute, w.Steady)
			w.Run(2 * time.Minute)
			w.Plan = rollover.Plan{}
			o := w.Observe()
			now := w.Now.Add(time.Minute)
			b.ReportAllocs()
			for b.Loop() {
				rollover.Next(w.State, o, w.Policy, now)
			}
		})
	}
}
