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

// tolerance is by how much the wall clock may part from our own time before it
// counts as having been set.
const tolerance = time.Minute

// begin continues from when the journal was last written. It reports whether the
// time that passed since can be trusted; if not, open waits start again, so that
// no jump shortens one.
//
// While the kernel runs that ran then, its boot time clock says what has passed.
// The dates of certificates and signatures are the wall's, though: if that was
// set meanwhile and is synchronised, it is taken. One that is not synchronised
// proves nothing against our own time.
//
// After a reboot two readings of the wall clock are all there is, so both must be
// vouched for: a host without a battery that wrote its first stamp days behind, and
// was set right since, was not down for days. What lies between them has passed, and
// not a second more: our own time goes on from where it was.
func begin(c Clock, last journal.Stamp) (s steady, trusted bool) {
	wall, boot := c.Wall(), c.Boot()
	s = steady{Clock: c, base: wall, since: boot}
	if last.Time.IsZero() {
		return s, true
	}
	if c.BootID != "" && c.BootID == last.BootID && boot >= last.Boot {
		own := last.Time.Add(boot - last.Boot)
		if c.Synchronised() && own.Sub(wall).Abs() > tolerance {
			return s, false
		}
		s.base = own
		return s, true
	}
	if !c.Synchronised() {
		s.base = later(wall, last.Time)
		return s, false
	}
	if !last.Vouched || wall.Before(last.Wall) {
		return s, false
	}
	s.base = last.Time.Add(wall.Sub(last.Wall))
	return s, true
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// earliest of two moments; zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (s steady) now() time.Time { return s.base.Add(s.Boot() - s.since).Round(0) }

// apart is by how much the wall clock is ahead of our own time.
func (s steady) apart() time.Duration { return s.Wall().Round(0).Sub(s.now()) }

func (s steady) stamp() journal.Stamp {
	return journal.Stamp{BootID: s.BootID, Boot: s.Boot(), Wall: s.Wall().Round(0).UTC(), Time: s.now().UTC(), Vouched: s.Synchronised() && s.apart().Abs() <= tolerance}
}
