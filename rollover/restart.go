package rollover

import (
	"maps"
	"slices"
	"time"
)

// Restart is the state as it must be taken up when nobody can tell how much time
// has passed since it was written: the host was rebooted with a clock that is
// not synchronised, or the clock was set (DESIGN 4.13). Every open wait starts
// again: whatever may have been served when the state was written counts as
// served until now, whatever was presented as presented until now, and what was
// counted is counted anew. So no jump of a clock shortens a wait.
func Restart(s State, now time.Time) State {
	s = s.clone()
	for owner, l := range s.Owners {
		for i := range l.Versions {
			v := &l.Versions[i]
			v.Served = now
			if !v.Left.IsZero() {
				v.Left = now
			}
		}
		for i := range l.Servers {
			restartServer(&l.Servers[i], now)
		}
		for i := range l.Addresses {
			l.Addresses[i].Looks = [looksNeeded]time.Time{}
			l.Addresses[i].Listed = now
		}
		for i := range l.Presented {
			l.Presented[i].Last = now
		}
		if !l.Dark.IsZero() {
			l.Dark = now
		}
		s.Owners[owner] = l
	}
	for _, name := range slices.Sorted(maps.Keys(s.Lineages)) {
		l := s.Lineages[name]
		l.ReadyAt = time.Time{}
		if l.Swapping != nil {
			sw := *l.Swapping
			sw.Began = now
			l.Swapping = &sw
		}
		s.Lineages[name] = l
	}
	return s
}

func restartServer(s *Server, now time.Time) {
	if !s.Unlisted.IsZero() {
		s.Unlisted = now
	}
	if !s.Missing.IsZero() {
		s.Missing = now
	}
	s.Seen = time.Time{} // an answer of another time says nothing about now
	holds := make([]Hold, 0, len(s.Holds))
	for _, h := range s.Holds {
		holds = append(holds, Hold{Association: h.Association, Count: 0, Last: now})
	}
	s.Holds = holds
}
