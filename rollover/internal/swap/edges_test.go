package swap

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLiveLinkIsNeverAbsent: seen in other tools: the link to the current pair is
// removed and then made again, and a reload in between finds no certificate. Before and
// after each operation of a switch, every path that a server reads leads to a pair; and
// whoever looks without a pause never misses the link.
func TestLiveLinkIsNeverAbsent(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	looks := 0
	look := func(after string) {
		looks++
		for _, path := range []string{w.Live, w.Live + "/combined.pem", w.Live + "/privkey.pem", w.etc + "/mx1", w.etc + "/mx1/privkey.pem", w.etc + "/combined.pem", w.etc + "/leaf.pem", w.etc + "/ca.pem"} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", after, err)
			}
		}
		if target, err := os.Readlink(w.Live); err != nil || target == "" {
			t.Errorf("%s: the live link: %q, %v", after, target, err)
		}
	}
	for _, entry := range []string{w.entryB, w.entryA} {
		w.step = func(op operation, path string) error {
			look("before " + string(op) + " " + filepath.Base(path))
			return nil
		}
		_, err := w.Switch(t.Context(), entry)
		ok(t, err)
		look("after the switch")
	}
	if looks < 30 {
		t.Errorf("%d looks: nothing was tested", looks)
	}
	w.step = nil
	var stop atomic.Bool
	var watching sync.WaitGroup
	seen := map[string]int{}
	watching.Go(func() {
		for !stop.Load() {
			target, err := os.Readlink(w.Live)
			if err != nil {
				t.Errorf("the live link: %v", err)
				return
			}
			seen[target]++
		}
	})
	for range 40 {
		for _, entry := range []string{w.entryB, w.entryA} {
			_, err := w.Switch(t.Context(), entry)
			ok(t, err)
		}
	}
	stop.Store(true)
	watching.Wait()
	if len(seen) != 2 && !t.Failed() {
		t.Errorf("seen were %v", seen)
	}
}
