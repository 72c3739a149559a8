package agent

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
)

// steady is the agent's own time: a base and the boot time clock, which nobody
// sets (DESIGN 4.13).
type steady struct {
	Clock
	base  time.Time
	since time.Duration
}

// tolerance is by how much the wall clock may part from our own time over a
// restart before it counts as having been set.
const tolerance = time.Minute

// begin continues from when the journal was last written. It reports whether the
// time that passed since can be trusted; if not, open waits start again, so that
// no jump shortens one.
func begin(c Clock, last journal.Stamp) (steady, bool) {
	s := steady{Clock: c, base: c.Wall(), since: c.Boot()}
	if last.Time.IsZero() {
		return s, true
	}
	if c.BootID != "" && c.BootID == last.BootID && s.since >= last.Boot {
		own := last.Time.Add(s.since - last.Boot)
		if apart := own.Sub(s.base).Abs(); apart <= tolerance {
			s.base = own
			return s, true
		}
		// The wall clock was set. Our own time was right about what passed, but dates
		// in certificates and signatures are the wall's: take it, and wait again.
		s.base = later(s.base, last.Time)
		return s, false
	}
	trusted := c.Synchronised && !s.base.Before(last.Wall) && !s.base.Before(last.Time)
	s.base = later(s.base, last.Time)
	return s, trusted
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (s steady) now() time.Time { return s.base.Add(s.Boot() - s.since).Round(0) }

func (s steady) stamp() journal.Stamp {
	return journal.Stamp{BootID: s.BootID, Boot: s.Boot(), Wall: s.Wall().Round(0), Time: s.now()}
}
