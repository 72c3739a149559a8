package agent

// latch is a lock that is held while something waits for the disk. Unlike a
// sync.Mutex it counts as a wait where tests have time pass (testing/synctest).
type latch chan struct{}

func newLatch() latch { return make(latch, 1) }

func (l latch) lock()   { l <- struct{}{} }
func (l latch) unlock() { <-l }
