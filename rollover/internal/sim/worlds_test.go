package sim

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

var (
	worlds = flag.Uint64("worlds", 8, "how many random worlds of each kind to run")
	swaps  = flag.Int64("swaps", 0, "run worlds until there were so many swaps, nine of ten in orderly ones")
	begin  = flag.Uint64("begin", 0, "the number of the first world")
	seed   = flag.Uint64("seed", 0, "run this random world only, and tell its story")
)

// TestOrderlyWorlds lets servers lag, vanish, come and go, renewals overtake each
// other, reloads fail or come late, updates get lost, clocks jump, people change their
// mind, and the process end at any step. Nobody breaks anything by hand: so whatever
// answer may be held vouches for whatever chain may be presented, at every moment,
// without any exception; and once all is healed, each lineage ends steady, with its
// newest pair live and no record but those that are needed.
func TestOrderlyWorlds(t *testing.T) { run(t, false, *swaps-*swaps/10, 5) }

// TestRandomWorlds has people, besides, who delete, add, restore and re-TTL records,
// serve what they should not, and lose the journal. Whatever they do, no step of ours
// may turn a matching pair of answer and chain into a failing one: an answer that does
// not vouch was put there by them, or a chain is presented that they put there, or the
// answer came and went unseen.
func TestRandomWorlds(t *testing.T) { run(t, true, *swaps/10, 3) }

// reign is for how long things go wrong in a world.
const reign = 20 * time.Minute

// run has worlds of one kind live and end, as many as were asked for or as it takes for
// a number of swaps; on average each must see floor of them.
func run(t *testing.T, people bool, wanted, floor int64) {
	var n, passes, swapped, unwaited, hands, crashed atomic.Int64
	world := func(t *testing.T, i uint64) {
		c := newChaos(t, i, people)
		defer c.end()
		c.reign(reign)
		c.heal()
		n.Add(1)
		passes.Add(int64(c.passes))
		swapped.Add(int64(c.Swaps))
		unwaited.Add(int64(c.unwaited))
		hands.Add(int64(c.Handshakes))
		crashed.Add(int64(c.crashes))
		if *seed != 0 {
			t.Log(c.Story())
		}
	}
	if *seed != 0 {
		t.Run(fmt.Sprint(*seed), func(t *testing.T) { world(t, *seed) })
		return
	}
	begun := time.Now()
	t.Run("worlds", func(t *testing.T) {
		for i := *begin; i < *begin+*worlds && wanted == 0 || swapped.Load() < wanted && !t.Failed(); i += 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				for j := i; j < i+8 && (wanted > 0 || j < *begin+*worlds); j++ {
					t.Run(fmt.Sprint(j), func(t *testing.T) {
						t.Parallel()
						world(t, j)
					})
				}
			})
		}
	})
	took := time.Since(begun)
	t.Logf("%d worlds, %d passes, %d crashes, %d swaps, %d of them without a wait, %d handshakes, %.0f a second", n.Load(), passes.Load(), crashed.Load(), swapped.Load(), unwaited.Load(), hands.Load(), float64(hands.Load())/took.Seconds())
	if unwaited.Load() == 0 && n.Load() >= 8 {
		t.Error("no world had a standby key to renew with in the end")
	}
	if swapped.Load() < floor*n.Load() {
		t.Errorf("%d swaps in %d worlds: rules that never swap are safe and useless", swapped.Load(), n.Load())
	}
}

// BenchmarkHandshakes is the life of an orderly world; what counts is the handshakes a
// second, with as many worlds at once as there are processors.
func BenchmarkHandshakes(b *testing.B) {
	var n, hands atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := newChaos(b, uint64(n.Add(1)), false)
			c.reign(reign)
			c.heal()
			c.end()
			hands.Add(int64(c.Handshakes))
		}
	})
	b.ReportMetric(float64(hands.Load())/b.Elapsed().Seconds(), "handshakes/s")
}
