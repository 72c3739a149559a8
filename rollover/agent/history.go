package agent

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// History is what happened to some lineages since a time, the oldest first: to all of them
// and to the program where none is named.
func (a *Agent) History(since time.Time, lineages ...string) ([]rollover.Event, error) {
	a = a.latest()
	for _, name := range lineages {
		if _, err := a.group(name); err != nil {
			return nil, err
		}
	}
	events, err := a.rooms.Store.Events(lineages...)
	return slices.DeleteFunc(events, func(e rollover.Event) bool { return e.At.Before(since) }), err
}

// happened tells of events that are durable.
func (a *Agent) happened(events []rollover.Event) {
	if a.cfg.Happened != nil && len(events) > 0 {
		a.cfg.Happened(events)
	}
}

// Note makes durable what happened to the program, now.
func (a *Agent) Note(events ...rollover.Event) error {
	if len(events) == 0 {
		return nil
	}
	return a.latest().rooms.Store.Note(events)
}
