package rollover

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Decided are the events that [Next] made one state of another by: what a pass saw and
// decided, and not yet what it did. Like Next it is pure.
func Decided(before, after State, o Observation, now time.Time) []Event {
	var events []Event
	for _, name := range slices.Sorted(maps.Keys(after.Lineages)) {
		s := passage{name, before.Lineages[name], after.Lineages[name], after.Chains, now}
		events = append(events, s.words()...)
		events = append(events, s.pairs(o.Lineages[name])...)
		events = append(events, s.progress()...)
		events = append(events, Changed(name, s.was.Warnings, s.is.Warnings, now)...)
	}
	return events
}

// passage is one lineage before and after a step.
type passage struct {
	lineage string
	was, is Lineage
	chains  map[tlsa.ChainID]*tlsa.Chain
	now     time.Time
}

func (p passage) event(kind EventKind, format string, args ...any) Event {
	return Event{At: p.now, Lineage: p.lineage, Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// of is an event about a pair.
func (p passage) of(id tlsa.ChainID, kind EventKind, format string, args ...any) Event {
	e := p.event(kind, format, args...)
	e.Pair = id
	if chain := p.chains[id]; chain != nil {
		e.NotAfter = chain.NotAfter().UTC()
	}
	return e
}

// words are a person's orders that were heard.
func (p passage) words() (events []Event) {
	was, is := p.was, p.is
	switch {
	case is.Frozen != nil && was.Frozen != is.Frozen && (was.Frozen == nil || !was.Frozen.Until.Equal(is.Frozen.Until)):
		until := "until it is thawed"
		if !is.Frozen.Until.IsZero() {
			until = "until " + Stamp(is.Frozen.Until)
		}
		events = append(events, p.event(Froze, "nothing is swapped or retired %s", until))
	case is.Frozen == nil && was.Frozen != nil:
		events = append(events, p.event(Thawed, "swaps and retirements go on"))
	}
	switch {
	case was.Emergency.IsZero() && !is.Emergency.IsZero():
		leaked := p.leaked()
		events = append(events, p.of(leaked, Emergency, "the key of %s was declared compromised", leaked.Short()))
	case !was.Emergency.IsZero() && is.Emergency.IsZero():
		events = append(events, p.event(EmergencyOver, "the emergency is over that was declared at %s", Stamp(was.Emergency)))
	}
	switch {
	case was.Withdrawn.IsZero() && !is.Withdrawn.IsZero():
		events = append(events, p.event(Withdrew, "its records are to leave, and DANE with them"))
	case !was.Withdrawn.IsZero() && is.Withdrawn.IsZero():
		events = append(events, p.event(Returned, "its records are wanted again"))
	}
	return events
}

// leaked is the chain whose key a person has just declared compromised. That is not always
// the live one: a standby key's certificate may have taken its place before the pass.
func (p passage) leaked() tlsa.ChainID {
	for _, c := range p.is.Compromised {
		if slices.Contains(p.was.Compromised, c) {
			continue
		}
		for _, id := range []tlsa.ChainID{p.is.Live, p.is.Previous, p.was.Previous} {
			if chain := p.chains[id]; chain != nil && chain.SPKI() == c.SPKI {
				return id
			}
		}
	}
	return p.is.Live
}

// pairs are those that came or went.
func (p passage) pairs(view LineageView) (events []Event) {
	was, is := p.was, p.is
	switch {
	case is.Live == was.Live || is.Live == "":
	case was.Live == "":
		events = append(events, p.of(is.Live, Adopted, "%s is live: it was found in place", is.Live.Short()))
	default:
		e := p.of(is.Live, Replaced, "%s -> %s: somebody else put it in place", was.Live.Short(), is.Live.Short())
		e.From = was.Live
		events = append(events, e)
	}
	switch {
	case is.Successor == was.Successor:
	case is.Successor != "":
		events = append(events, p.admitted(source(is, view)))
	case was.Successor != is.Live:
		events = append(events, p.of(was.Successor, Dropped, "%s is not on its way any more", was.Successor.Short()))
	}
	if is.Queued != "" && is.Queued != was.Queued {
		events = append(events, p.of(is.Queued, WasQueued, "%s waits behind %s", is.Queued.Short(), is.Successor.Short()))
	}
	return events
}

// admitted says that there is another successor.
func (p passage) admitted(source string) Event {
	id := p.is.Successor
	instead, from := "", map[string]string{"staged": "from the staged files", "handed-in": "handed in", "ordered": "ordered here", "rollback": "a person wants it back", "queue": "it waited behind the one before"}[source]
	if old := p.was.Successor; old != "" && old != p.is.Live {
		instead = " in place of " + old.Short()
	}
	e := p.of(id, Admitted, "%s is on its way%s: %s", id.Short(), instead, from)
	e.Source = source
	if !e.NotAfter.IsZero() {
		e.Text += ", ends " + Stamp(e.NotAfter)
	}
	return e
}

// source is where the successor came from, by what a pass saw.
func source(l Lineage, view LineageView) string {
	switch {
	case !l.Recalled.IsZero():
		return "rollback"
	case view.Issuing.Chain == l.Successor:
		return "ordered"
	}
	for _, offer := range view.Offers {
		if offer.Chain == l.Successor && offer.Explicit {
			return "handed-in"
		}
		if offer.Chain == l.Successor {
			return "staged"
		}
	}
	if l.Staged == l.Successor {
		return "staged"
	}
	return "queue"
}

// progress is how far the pair on its way has come, or the one that came. A successor that
// was held comes no further by being the successor again.
func (p passage) progress() (events []Event) {
	was, is := p.was, p.is
	fresh := was.Successor != is.Successor
	before := was.Phase
	if fresh {
		before = Generated
	}
	id := is.Successor
	switch {
	case id == "" || before != Generated && before != Published || is.Phase == before:
	case is.Phase == Published:
		events = append(events, p.of(id, Converged, "every name server gives what %s needs", id.Short()))
	case is.Phase == Ready:
		events = append(events, p.of(id, BecameReady, "no cache can be without what %s needs", id.Short()))
	}
	if is.Verified.After(was.Verified) {
		e := p.of(is.Live, Verified, "%s is served here", is.Live.Short())
		e.From = is.Previous
		events = append(events, e)
	}
	if n := len(is.Rollovers); n > 0 && is.Phase == Steady && was.Phase != Steady {
		if last := is.Rollovers[n-1]; last.Ended.Equal(p.now) {
			events = append(events, p.of(is.Live, RolloverOver, "%s is live, and nothing of another one is left; it took %s", is.Live.Short(), last.Ended.Sub(last.Began).Round(time.Second)))
		}
	}
	return events
}
