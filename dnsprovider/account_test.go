package dnsprovider_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

func TestAccountBoundsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
		begin := time.Now()
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_ = account.Do(t.Context(), func() error { time.Sleep(time.Second); return nil })
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("six requests of a second took %s, two at a time take 3s", took)
		}

		wg.Go(func() { _ = account.Do(t.Context(), func() error { time.Sleep(time.Minute); return nil }) })
		wg.Go(func() { _ = account.Do(t.Context(), func() error { time.Sleep(time.Minute); return nil }) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := account.Do(ctx, func() error { t.Error("a third request is on its way"); return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		wg.Wait()
		trouble := errors.New("503")
		if err := account.Do(t.Context(), func() error { return trouble }); !errors.Is(err, trouble) {
			t.Errorf("error is %v", err)
		}
	})
}
