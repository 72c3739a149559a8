package lookup

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoMakesEachValueOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo[string, int]
		var made atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				v, err := m.do(t.Context(), "key", func() (int, error) {
					time.Sleep(time.Second)
					return int(made.Add(1)), nil
				})
				if v != 1 || err != nil {
					t.Errorf("%d, %v", v, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestMemoKeepsErrors(t *testing.T) {
	var m memo[string, int]
	first, second := errors.New("first"), errors.New("second")
	for _, err := range []error{first, second} {
		if _, got := m.do(t.Context(), "key", func() (int, error) { return 0, err }); !errors.Is(got, first) {
			t.Error(got)
		}
	}
}

func TestMemoDoesNotPassOnAnothersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo[string, int]
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		slow := func(ctx context.Context) func() (int, error) {
			return func() (int, error) {
				select {
				case <-time.After(time.Minute):
					return 7, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := m.do(hasty, "key", slow(hasty)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the hasty one: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if v, err := m.do(t.Context(), "key", slow(t.Context())); v != 7 || err != nil {
				t.Errorf("the patient one: %d, %v", v, err)
			}
		})
		synctest.Wait()
		wg.Go(func() { // waits for the patient one no longer than it may
			short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if _, err := m.do(short, "key", slow(short)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one in a hurry: %v", err)
			}
		})
		wg.Wait()
	})
}

func TestMemoSurvivesAPanic(t *testing.T) {
	var m memo[string, int]
	func() {
		defer func() { recover() }()
		m.do(t.Context(), "key", func() (int, error) { panic("boom") })
	}()
	if v, err := m.do(t.Context(), "key", func() (int, error) { return 3, nil }); v != 3 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}
