package rollover

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkNextSteady is one pass over a lineage at rest, with everything looked
// at: one endpoint, three servers, two addresses.
func BenchmarkNextSteady(b *testing.B) {
	w := newWorld(b)
	w.server("ns3.example.org.", 0)
	w.hosts["mx1"] = newHost("any", "192.0.2.1:25", "192.0.2.2:25")
	w.serving("mx1", w.issue(w.ca("Issuer A", nil), leaf{}))
	w.until(5*time.Minute, w.steady)
	w.run(10 * time.Minute)
	w.plan = Plan{}
	o := w.observe()
	now := w.now.Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		_, plan := Next(w.state, o, w.policy, now)
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
			w := newWorld(b)
			ca := w.ca("Issuer A", nil)
			for i := range n {
				name := fmt.Sprintf("mx%d", i+1)
				host := name + ".example.org"
				w.policy.Lineages[name] = LineagePolicy{Scheme: Scheme{EE: true}, TA: Intermediate, TTL: time.Minute,
					Endpoints: []Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: ownerOf(b, 25, host)}}}
				w.hosts[name] = newHost("any", fmt.Sprintf("192.0.2.%d:25", i%250+1))
				w.serving(name, w.issue(ca, leaf{names: []string{host}}))
			}
			w.until(5*time.Minute, w.steady)
			w.run(2 * time.Minute)
			w.plan = Plan{}
			o := w.observe()
			now := w.now.Add(time.Minute)
			b.ReportAllocs()
			for b.Loop() {
				Next(w.state, o, w.policy, now)
			}
		})
	}
}
