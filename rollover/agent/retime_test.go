package agent

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestRetimeThatCannotBe: a provider without means to change the TTL says so once, and is
// not asked again; one that is in trouble is.
func TestRetimeThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		name  string
		kind  dnsprovider.Kind
		again bool
	}{
		{"no means", dnsprovider.Unsupported, false},
		{"trouble", dnsprovider.Temporary, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, _ := adopted(w)
				defer w.close(a)
				w.zone.Inject(memory.Fails(test.kind, nil))
				if err := a.Order("mx1", rollover.Orders{TTL: 2 * recordTTL}); err != nil {
					t.Fatal(err)
				}
				failed := 0
				begin := time.Now()
				w.goOn(a, time.Hour, func(r Report) bool { failed += len(r.Failed); return time.Since(begin) > 30*time.Minute })
				if failed != 1 {
					t.Errorf("%d changes failed, want 1", failed)
				}
				answer, _ := w.zone.Answer("ns1", owner25(mx1))
				if retimed := answer.RRset.TTL == 2*recordTTL; retimed != test.again {
					t.Errorf("the TTL is %s", answer.RRset.TTL)
				}
			})
		})
	}
}
