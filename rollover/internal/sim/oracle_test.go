package sim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestOracle: what the world says of matches by its own digests is what clients find.
func TestOracle(t *testing.T) {
	w := NewWorld(t)
	rng := rand.New(rand.NewPCG(1, 1))
	cas := []*CA{w.CA("Issuer A", w.CA("Root", nil)), w.CA("Issuer B", nil)}
	var chains []tlsa.ChainID
	var records []tlsa.Association
	for i := range 6 {
		l := Leaf{}
		switch i {
		case 1:
			l.Names = []string{"localhost"}
		case 2:
			l.Ends = w.Now.Add(time.Hour)
		case 3:
			l.Begins = w.Now.Add(time.Hour)
		}
		id := w.Issue(cas[i%2], l)
		chains = append(chains, id)
		for _, p := range []tlsa.Params{tlsa.EE, tlsa.TA, {Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.SHA512}, {Usage: tlsa.DANETA, Selector: tlsa.Cert, Matching: tlsa.Full}} {
			records = append(records, w.Record(p, id))
		}
	}
	matched := 0
	for range 20000 {
		var as []tlsa.Association
		for range 1 + rng.IntN(5) {
			as = append(as, records[rng.IntN(len(records))])
		}
		s, id := tlsa.NewRRset(time.Minute, as...), chains[rng.IntN(len(chains))]
		ref := tlsa.Reference{Names: []string{MX}, Time: w.Now.Add(time.Duration(rng.IntN(3)) * time.Hour), SMTP: true}
		got, want := w.papers[id].strong(s, ref), s.Vouches(w.Chains[id], ref) == nil
		if got != want {
			t.Fatalf("%v vouches for %s at %s: %t, want %t", s, id.Short(), ref.Time, got, want)
		}
		if got {
			matched++
		}
	}
	if matched < 500 || matched > 15000 {
		t.Errorf("%d of 20000 match: that is no test", matched)
	}
}
