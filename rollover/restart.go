package rollover

import "time"

// Restart is the state as it must be taken up when nobody can tell how much time
// has passed since it was written: the host was rebooted with a clock that is
// not synchronised, or the clock was set (DESIGN 4.13). Every open wait starts
// again: whatever may have been served when the state was written counts as
// served until now, whatever was presented as presented until now, and what was
// counted is counted anew. So no jump of a clock shortens a wait.
func Restart(s State, now time.Time) State {
	s = s.clone()
	for owner, l := range s.Owners {
		s.Owners[owner] = l.restarted(now)
	}
	for name, l := range s.Lineages {
		s.Lineages[name] = l.restarted(now)
	}
	return s
}

func (l Ledger) restarted(now time.Time) Ledger {
	for i := range l.Versions {
		l.Versions[i].Served = now
		l.Versions[i].Left = startAgain(l.Versions[i].Left, now)
	}
	for i := range l.Servers {
		s := &l.Servers[i]
		s.Unlisted, s.Missing, s.Behind = startAgain(s.Unlisted, now), startAgain(s.Missing, now), startAgain(s.Behind, now)
		s.Seen, s.Holds = time.Time{}, nil // an answer of another time says nothing about now
	}
	for i := range l.Addresses {
		a := &l.Addresses[i]
		a.Since, a.Listed, a.Gone, a.Looks = now, now, startAgain(a.Gone, now), [looksNeeded]time.Time{}
		a.Missing, a.Missed, a.Misses = time.Time{}, time.Time{}, 0
	}
	for i := range l.Presented {
		l.Presented[i].First, l.Presented[i].Last = now, now
	}
	l.Since, l.Looked, l.Listed = startAgain(l.Since, now), startAgain(l.Looked, now), startAgain(l.Listed, now)
	l.Judged, l.Lost, l.Writing = startAgain(l.Judged, now), startAgain(l.Lost, now), startAgain(l.Writing, now)
	l.Dark, l.CopyRead = startAgain(l.Dark, now), time.Time{}
	return l
}

func (l Lineage) restarted(now time.Time) Lineage {
	l.ReadyAt, l.StandbyReady, l.Wake, l.Looked = time.Time{}, time.Time{}, time.Time{}, Looked{}
	l.Since, l.Emergency, l.Returned = startAgain(l.Since, now), startAgain(l.Emergency, now), startAgain(l.Returned, now)
	if l.Swapping != nil {
		sw := *l.Swapping
		sw.Began = now
		l.Swapping = &sw
	}
	if l.Held != nil {
		held := *l.Held
		held.Again = now.Add(held.again())
		l.Held = &held
	}
	return l
}

// startAgain is now for what has happened, and never for what has not.
func startAgain(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now
}
