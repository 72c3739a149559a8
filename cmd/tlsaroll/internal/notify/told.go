package notify

import (
	"cmp"
	"slices"
	"time"
)

// hold is how long a notice has to be away before people are told that it
// cleared. One that comes back within it never left: a server that answers every
// other time wakes nobody twice.
const hold = 5 * time.Minute

// Told is what people know of: the notices that they were told about and not yet
// told to have cleared.
type Told map[key]entry

// entry is one of them.
type entry struct {
	Notice           // as it was last seen, but of the severity that was told
	At     time.Time `json:"at"`            // when people were last told
	Away   time.Time `json:"away,omitzero"` // since when it is; zero: it is there
}

// Next says what to tell people, now that these are the notices, in the order of
// their keys, and what they know then. They are reminded of one that lasts so often, and
// not at all if that is zero. A severity that fell is told with the next
// reminder: people who know of the higher one need not hear when it comes back.
func (t Told) Next(seen []Notice, remind time.Duration, now time.Time) (Told, []Message) {
	next := make(Told, len(seen))
	var out []Message
	for k, n := range worst(seen) {
		e, known := t[k]
		var event Event
		switch {
		case !known:
			event = Appeared
			e.Since = cmp.Or(n.Since, now).UTC().Truncate(time.Second)
		case rank(n.Severity) > rank(e.Severity):
			event = Changed
		case e.At.After(now): // by a clock that has been put back since
			e.At = now
		case remind > 0 && now.Sub(e.At) >= remind:
			event = Reminder
		}
		told := e.Severity
		if event != "" {
			told, e.At = n.Severity, now
		}
		n.Since, n.Severity = e.Since, told
		e.Notice, e.Away = n, time.Time{}
		next[k] = e
		if event != "" {
			out = append(out, Message{Event: event, Notice: e.Notice})
		}
	}
	for k, e := range t {
		switch _, there := next[k]; {
		case there:
			continue
		case e.Away.IsZero() || e.Away.After(now):
			e.Away = now
		case now.Sub(e.Away) >= hold:
			out = append(out, Message{Event: Cleared, Notice: e.Notice})
			continue
		}
		next[k] = e
	}
	slices.SortFunc(out, func(a, b Message) int { return byKey(a.Notice, b.Notice) })
	return next, out
}

// worst are the notices by key; of several with one key the most severe counts.
func worst(seen []Notice) map[key]Notice {
	out := make(map[key]Notice, len(seen))
	for _, n := range seen {
		if before, ok := out[n.key()]; !ok || rank(n.Severity) > rank(before.Severity) {
			out[n.key()] = n
		}
	}
	return out
}

// sameAway reports whether the same notices are away.
func (t Told) sameAway(other Told) bool {
	for k, e := range t {
		if o, known := other[k]; known && !o.Away.Equal(e.Away) {
			return false
		}
	}
	return true
}
