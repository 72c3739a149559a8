package agent

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Orders are of the standby key: the swap waits for no cache, an order that fails uses up
// nothing, and the next one is of the key after it.
func TestOrdersAreOfTheStandbyKey(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.config.Lineages[0].Policy.Scheme.Standby = true
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		seen := []certwatch.Pair{first}
		for n := range 3 {
			w.goOn(a, 24*time.Hour, func(r Report) bool { return standbyIs(r, rollover.Ready) })
			_, record := w.nextKey()
			c.set(func(c *aCA) { c.fail = func(int) error { return errors.New("the CA is down") } })
			if _, err := a.IssueNow(t.Context(), "mx1"); err == nil {
				t.Fatal("the order did not fail")
			}
			if _, now := w.nextKey(); now != record {
				t.Fatal("a failed order used up the key")
			}
			c.set(func(c *aCA) { c.fail = nil })
			w.stay(a, time.Second)
			begun := time.Now()
			pair, err := a.IssueNow(t.Context(), "mx1")
			if err != nil {
				t.Fatal(err)
			}
			if pair.Chain.SPKI() != record.Data {
				t.Fatal("the order is of another key")
			}
			r := w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == pair.ID() })
			if took := r.At.Sub(r.State.Lineages["mx1"].Swapped); took > time.Second || time.Since(begun) > 30*time.Second {
				t.Errorf("order %d: swapped after %s", n, time.Since(begun))
			}
			w.goOn(a, 24*time.Hour, another(seen...))
			_, next := w.nextKey()
			if got := w.stands(owner25(mx1)); !slices.Equal(got, tlsa.NewRRset(0, record, next).Associations) {
				t.Errorf("order %d: there stand %v", n, got)
			}
			seen = append(seen, pair)
		}
	})
}

// A host whose first certificate is ordered has its first standby key with it.
func TestFirstOrderMakesItsKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := newACA(w, 9*day)
		l := w.lineage("mx1")
		l.Policy.Scheme.Standby = true
		w.orders(l, c)
		l.KeyType = certwatch.EC384
		a := w.open()
		defer w.close(a)
		r := w.goOn(a, 24*time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live != "" && standbyIs(r, rollover.Ready) })
		live := r.State.Chains[r.State.Lineages["mx1"].Live]
		key, record := w.nextKey()
		if got := certwatch.KeyTypeOf(live.Leaf().PublicKey); got != certwatch.EC384 || certwatch.KeyTypeOf(key.Public()) != got || live.SPKI() == record.Data {
			t.Errorf("live is of a key of type %s, the next key of %s", got, certwatch.KeyTypeOf(key.Public()))
		}
	})
}
