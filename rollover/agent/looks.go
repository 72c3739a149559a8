package agent

import (
	"sync"
	"time"
)

// shareFor is for how long groups share look-ups: those that come due together
// ask for a zone's servers and keys once. It is short, as what is shared has the
// age of the oldest.
const shareFor = time.Second

// looks are the look-ups that groups share.
type looks struct {
	mu     sync.Mutex
	pass   Looker
	number int
	made   time.Time
}

// shared gives look-ups that are no older than shareFor, with a number above
// after: a group must not see again what it saw before it acted.
func (a *Agent) shared(after int) (Looker, int) {
	l := &a.looks
	l.mu.Lock()
	defer l.mu.Unlock()
	now := a.clock.now()
	if l.pass == nil || l.number <= after || now.Sub(l.made) >= shareFor {
		l.pass, l.made = a.rooms.Look(), now
		l.number++
	}
	return l.pass, l.number
}

// lookups are those of a group's next look.
func (a *Agent) lookups(g *group) Looker {
	pass, number := a.shared(g.lookup)
	g.lookup = number
	return pass
}
