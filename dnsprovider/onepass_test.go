package dnsprovider_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

func TestReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int32
		read := func(context.Context) (int32, error) {
			time.Sleep(time.Second)
			return reads.Add(1), nil
		}
		for range 2 {
			if _, err := dnsprovider.ReadOnce(t.Context(), "zone", read); err != nil {
				t.Fatal(err)
			}
		}
		if n := reads.Load(); n != 2 {
			t.Errorf("%d reads outside a pass, want 2", n)
		}
		ctx := dnsprovider.OnePass(t.Context())
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if n, err := dnsprovider.ReadOnce(ctx, "zone", read); n != 3 || err != nil {
					t.Errorf("read number %d, %v, want 3", n, err)
				}
			})
		}
		wg.Wait()
		if n, _ := dnsprovider.ReadOnce(ctx, "other zone", read); n != 4 {
			t.Errorf("read number %d of another zone, want 4", n)
		}
		dnsprovider.ForgetReading(ctx, "zone")
		if n, _ := dnsprovider.ReadOnce(ctx, "zone", read); n != 5 {
			t.Errorf("read number %d after a change, want 5", n)
		}
	})
}

// TestReadOnceFails: a host in trouble is not asked again in the same pass, and who gave
// up spoils it for nobody else.
func TestReadOnceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trouble := errors.New("503")
		reads := 0
		failing := func(context.Context) (int, error) { reads++; return 0, trouble }
		ctx := dnsprovider.OnePass(t.Context())
		for range 3 {
			if _, err := dnsprovider.ReadOnce(ctx, "zone", failing); !errors.Is(err, trouble) {
				t.Errorf("error is %v", err)
			}
		}
		if reads != 1 {
			t.Errorf("%d reads, want 1", reads)
		}

		slow := func(ctx context.Context) (int, error) {
			select {
			case <-time.After(time.Minute):
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		impatient, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := dnsprovider.ReadOnce(impatient, "slow", slow); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if n, err := dnsprovider.ReadOnce(ctx, "slow", slow); n != 7 || err != nil {
				t.Errorf("read %d, %v", n, err)
			}
		})
		wg.Wait()
	})
}
