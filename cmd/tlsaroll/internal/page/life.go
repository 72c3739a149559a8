package page

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Life is the time of the live pair, from its swap to its end, as a picture.
type Life struct {
	Alt   string
	Now   string // its place, in percent
	Order string // "" where none is made, or its time is not known
	Marks []Mark
}

// Mark is a time in a life.
type Mark struct {
	Word string
	When *Moment
}

// life is the live pair's, nil where it is not known when it became live.
func life(s rollover.LineageStatus, now time.Time) *Life {
	if s.Live == nil {
		return nil
	}
	var since time.Time
	for _, p := range s.Rollovers {
		if p.Swapped.After(since) {
			since = p.Swapped
		}
	}
	end := s.Live.NotAfter
	if since.IsZero() || !end.After(since) {
		return nil
	}
	l := &Life{Now: percent(100 * over(&since, &end, now)), Marks: []Mark{{"live since", moment(since, now)}}}
	if r := s.Renewal; r != nil && r.At != nil {
		l.Order = percent(100 * over(&since, &end, *r.At))
		l.Marks = append(l.Marks, Mark{"next order", moment(*r.At, now)})
	}
	l.Marks = append(l.Marks, Mark{"ends", moment(end, now)})
	l.Alt = "The live certificate: " + span(now.Sub(since)) + " of " + span(end.Sub(since)) + " are over."
	return l
}
