package sim

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// answer is what servers gave at an owner name, from when it was put there: what
// caches may hold.
type answer struct {
	owner  tlsa.Owner
	rrset  tlsa.RRset
	born   time.Time
	theirs bool
	seen   bool                      // a look of ours came across it
	until  time.Time                 // so long a cache may hold it, where nobody gives it any more
	fits   map[tlsa.ChainID]judgment // by chains that it was judged against
}

type answerKey struct {
	owner  tlsa.Owner
	key    string
	ttl    time.Duration
	born   time.Time
	theirs bool
}

// answerOf is the answer that a server with r gives at an owner name; where it has
// nothing, a denial.
func (w *World) answerOf(owner tlsa.Owner, r Stored) *answer {
	if r.RRset.Denial() {
		r.RRset = tlsa.RRset{TTL: denialTTL}
	}
	k := answerKey{owner, r.key, r.RRset.TTL, r.Born, r.theirs}
	a := w.answers[k]
	if a == nil {
		a = &answer{owner: owner, rrset: r.RRset, born: r.Born, theirs: r.theirs, fits: map[tlsa.ChainID]judgment{}}
		w.answers[k] = a
	}
	return a
}

// see notes that a look of ours came across an answer.
func (w *World) see(a *answer) {
	if !a.seen && !w.aside {
		a.seen = true
		w.sighted = append(w.sighted, a)
	}
}

// lifetime is how long a cache may hold an answer: its TTL, or as far as the caches
// here stretch that, and a second.
func (w *World) lifetime(ttl time.Duration) time.Duration {
	return max(ttl, min(w.stretch, ttl+w.Policy.Timing.Floor-2*time.Second)) + time.Second
}

// hold notes what a server gave until now as held by caches from now on.
func (w *World) hold(s *Server) {
	if s.down {
		return
	}
	for _, owner := range w.ownerNames() {
		a := s.answer(w, owner)
		if !slices.Contains(w.caches[owner], a) {
			w.caches[owner] = append(w.caches[owner], a)
		}
		a.until = latest(a.until, w.Now.Add(w.lifetime(a.rrset.TTL)))
	}
}

// held are the answers that somebody may hold now at an owner name.
func (w *World) held(owner tlsa.Owner) []*answer {
	w.caches[owner] = slices.DeleteFunc(w.caches[owner], func(a *answer) bool { return w.Now.After(a.until) })
	w.scratch = append(w.scratch[:0], w.caches[owner]...)
	for _, s := range w.Servers {
		if s.down {
			continue
		}
		if a := s.answer(w, owner); !slices.Contains(w.scratch, a) {
			w.scratch = append(w.scratch, a)
		}
	}
	return w.scratch
}

// ForgetCaches makes all caches empty.
func (w *World) ForgetCaches() { clear(w.caches) }

// known are the answers at an owner name that rules can know of: those that a
// look came across, and those that one now would. What came and went wholly
// between two looks no rule can know. The way back does not wait for a provider
// that gives no answer.
func (w *World) known(owner tlsa.Owner, back bool) map[*answer]bool {
	primary := w.answerOf(owner, w.Zone[owner])
	out := map[*answer]bool{primary: !back || primary.seen}
	for _, s := range w.Servers {
		out[s.answer(w, owner)] = true
	}
	for _, a := range w.caches[owner] {
		if a.seen && !w.Now.After(a.until) {
			out[a] = true
		}
	}
	return out
}

// Held are the answers that somebody may hold now at an owner name.
func (w *World) Held(owner tlsa.Owner) []tlsa.RRset {
	var out []tlsa.RRset
	for _, a := range w.held(owner) {
		out = append(out, a.rrset)
	}
	return out
}
