package demo

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A way is how far tlsaroll has come from one certificate to the next, by its own
// account.
type way struct {
	status    *rollover.LineageStatus // nil before the first pass
	old, next certificate
	now       time.Time
}

// steps are the phases of RFC 7583, section 3.1, and what follows in caches.
func (w way) steps(v sight) []step {
	return []step{w.generated(), w.published(), w.ready(), w.swapped(), w.verified(), w.retired(v), w.gone(v)}
}

// begun reports whether the next certificate is known, and the old one as that in service.
func (w way) begun() bool {
	return w.live() || w.status != nil && w.status.Live != nil && w.status.Successor != nil
}

func (w way) live() bool {
	return w.status != nil && w.status.Live != nil && w.status.Live.ID == w.next.ID()
}

// settled reports whether the mail server was seen to present it.
func (w way) settled() bool { return w.live() && w.status.Swapping == nil }

func (w way) steady() bool { return w.settled() && w.status.Phase == rollover.Steady }

// waits says for what, "" if nothing is waited for.
func (w way) waits() string {
	if w.status == nil || len(w.status.Waiting) == 0 {
		return ""
	}
	return string(w.status.Waiting[0].Code) + ": " + w.status.Waiting[0].Text
}

func (w way) generated() step {
	if !w.begun() {
		return step{name: "generated"}
	}
	return step{name: "generated", part: 1, note: fmt.Sprintf("certificate %d is handed in, %d is in service", w.next.number, w.old.number)}
}

func (w way) published() step {
	if !w.begun() {
		return step{name: "published"}
	}
	servers := w.status.Endpoints[0].Servers
	on := 0
	for _, s := range servers {
		if s.Converged == rollover.Yes {
			on++
		}
	}
	return share("published", "its record is on %d of %d servers", on, len(servers))
}

func (w way) ready() step {
	wait := timing.PublicationInterval(recordTTL)
	switch {
	case w.live():
		return step{name: "ready", part: 1, note: "no cache can lack it"}
	case !w.begun() || w.status.Successor.ReadyAt == nil:
		return step{name: "ready"}
	}
	left := max(0, w.status.Successor.ReadyAt.Sub(w.now))
	return step{name: "ready", part: 1 - float64(left)/float64(wait), left: left, note: fmt.Sprintf("in %s: until then a cache may lack it", wait)}
}

func (w way) swapped() step {
	if !w.live() {
		return step{name: "swapped"}
	}
	return step{name: "swapped", part: 1, note: fmt.Sprintf("certificate %d is in service", w.next.number)}
}

func (w way) verified() step {
	if !w.settled() {
		return step{name: "verified"}
	}
	return step{name: "verified", part: 1, note: "the mail server presents it"}
}

func (w way) retired(v sight) step {
	off := count(v.servers, without(w.old.number))
	switch {
	case !w.settled():
		return step{name: "retired"}
	case off > 0:
		return share("retired", "the old record is off %d of %d servers", off, len(v.servers))
	}
	s := step{name: "retired", note: fmt.Sprintf("in %s: until then the way back is free", timing.Retire)}
	for _, r := range w.status.Waiting {
		if r.Code == rollover.CodeRetireWindow {
			s.left = max(0, r.Until.Sub(w.now))
		}
	}
	return s
}

func (w way) gone(v sight) step {
	if !w.settled() || count(v.servers, without(w.old.number)) == 0 {
		return step{name: "gone"}
	}
	return share("gone", "and out of %d of %d caches", count(v.caches, without(w.old.number)), len(v.caches))
}
