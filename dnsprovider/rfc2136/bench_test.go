package rfc2136_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// BenchmarkApply measures owners a second against BIND, every one looked at before and
// after: one owner a message, and as many as go into one.
func BenchmarkApply(b *testing.B) {
	const owners = 500
	for _, maxBatch := range []int{1, 250} {
		b.Run(fmt.Sprintf("owners-a-message=%d", maxBatch), func(b *testing.B) {
			n := startNamed(b, `allow-update { key "tlsaroll.example.org."; };`)
			c := bindConfig(n)
			c.MaxBatch = maxBatch
			p := newProvider(b, c)
			there, back := additions(owners), make([]dnsprovider.Change, owners)
			for i, c := range there {
				back[i] = dnsprovider.Change{Owner: c.Owner, Before: c.After, After: tlsa.RRset{}}
			}
			b.ResetTimer()
			begin := time.Now()
			for i := range b.N {
				changes := [...][]dnsprovider.Change{there, back}[i%2]
				errs := p.Apply(b.Context(), zone, changes)
				if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
					b.Fatal(errs[i])
				}
			}
			b.ReportMetric(float64(owners*b.N)/time.Since(begin).Seconds(), "owners/s")
		})
	}
}
