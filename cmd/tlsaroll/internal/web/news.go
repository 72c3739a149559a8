package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// news tells those who have a page open that something has changed. It looks only
// while somebody listens.
type news struct {
	from Sources
	hint <-chan struct{} // something may have changed

	mu        sync.Mutex
	listeners int
	changed   chan struct{} // closed at the next change
	over      bool
}

const (
	listeners = 24               // at a time, so that connections are left for all else
	recheck   = 30 * time.Second // without a hint: what commands do comes with none
	collect   = time.Second      // hints that come so soon after one another are one
	perMany   = 5 * time.Millisecond
)

func newNews(from Sources, hint <-chan struct{}) *news {
	return &news{from: from, hint: hint, changed: make(chan struct{})}
}

// enter adds a listener, unless there are too many or the program ends.
func (n *news) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over || n.listeners == listeners {
		return false
	}
	n.listeners++
	return true
}

func (n *news) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners--
}

// next is closed at the next change, or when all is over.
func (n *news) next() (changed <-chan struct{}, over bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed, n.over
}

func (n *news) heard() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners > 0
}

// tell lets all listeners know.
func (n *news) tell(over bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	close(n.changed)
	n.changed, n.over = make(chan struct{}), over
}

// watch looks for changes until ctx ends.
func (n *news) watch(ctx context.Context) {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	var before [sha256.Size]byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.hint:
		case <-tick.C:
		}
		if !n.heard() {
			continue
		}
		sum, lineages := n.sum()
		if sum != before {
			n.tell(false)
			before = sum
		}
		// Where there are very many lineages, passes never end, and each look takes longer.
		select {
		case <-ctx.Done():
			return
		case <-time.After(collect + time.Duration(lineages)*perMany):
		}
	}
}

// sum is a digest of all that is told but for what changes while nothing happens.
func (n *news) sum() (sum [sha256.Size]byte, lineages int) {
	h := sha256.New()
	e := json.NewEncoder(h)
	all := n.from.Status()
	for i := range all {
		all[i].NextLook = nil
		_ = e.Encode(all[i]) // strings, numbers and times: cannot fail
	}
	_ = e.Encode(rollover.Status{Warnings: n.from.Warnings()})
	return [sha256.Size]byte(h.Sum(nil)), len(all)
}
