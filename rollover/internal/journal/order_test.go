package journal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestOrderIsRemembered: over a restart, and beside what passes save; a chain that
// it names is not kept for its sake.
func TestOrderIsRemembered(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	mustSave(t, j, g, time.Hour)
	gone := newChain(t, "mx1.example.org").ID()
	want := rollover.Issuing{Leaf: "aa", At: epoch, Reason: "a reason", Ask: epoch.Add(time.Hour),
		Names: []string{"mx1.example.org"}, Chain: gone, Tries: 3, Again: epoch.Add(time.Minute), Told: true, Err: "the CA is down"}
	if err := j.Order("mx1", want); err != nil {
		t.Fatal(err)
	}
	mustSave(t, j, g, 2*time.Hour)
	if ids, err := j.Forget([]tlsa.ChainID{gone}); err != nil || len(ids) != 1 {
		t.Errorf("forgotten are %v, %v", ids, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, c := mustOpen(t, path)
	if diff := cmp.Diff(want, c.Orders["mx1"]); diff != "" {
		t.Error(diff)
	}
}

// TestJournalOfBeforeOrders: what a program wrote that knew of no orders is read, and
// taken on.
func TestJournalOfBeforeOrders(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	mustSave(t, j, g, time.Hour)
	if err := j.db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketOrders) }); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := Read(path, time.Second); err != nil || len(c.Lineages) != 1 || len(c.Orders) != 0 {
		t.Fatalf("read: %+v, %v", c.Lineages, err)
	}
	j, c := mustOpen(t, path)
	if len(c.Lineages) != 1 {
		t.Fatalf("%d lineages are known", len(c.Lineages))
	}
	if err := j.Order("mx1", rollover.Issuing{Tries: 1}); err != nil {
		t.Fatal(err)
	}
	if c := mustLoad(t, j); c.Orders["mx1"].Tries != 1 {
		t.Errorf("orders: %+v", c.Orders)
	}
}
