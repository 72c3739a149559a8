package installer

import "time"

// A lineage may be changed so often in a row, and then once in a while: whoever took the
// daemon over cannot have servers reload all the time.
const (
	burst = 6
	every = 10 * time.Second
)

// allowance counts what is done for each lineage.
type allowance map[string]time.Time // when all that was done would have been due at that pace

// take reports whether one more may be done now, and counts it.
func (a allowance) take(lineage string, now time.Time) bool {
	due := a[lineage]
	if due.Before(now) {
		due = now
	}
	if due.Sub(now) > (burst-1)*every {
		return false
	}
	a[lineage] = due.Add(every)
	return true
}
