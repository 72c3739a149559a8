package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// EventKind says what happened. It is stable: programs match on it.
type EventKind string

// What happens to a lineage, roughly in its order.
const (
	Admitted      EventKind = "admitted"       // a pair became the successor
	WasQueued     EventKind = "queued"         // one came that waits behind the successor
	Dropped       EventKind = "dropped"        // the successor is not on its way any more
	RecordsPut    EventKind = "published"      // records were added at the provider
	Converged     EventKind = "converged"      // every authoritative server gives them
	BecameReady   EventKind = "ready"          // no cache can be without them
	Swapped       EventKind = "swapped"        // the successor was installed, and services reloaded
	Verified      EventKind = "verified"       // this host was seen to serve it
	SwapFell      EventKind = "swap-failed"    // it could not be installed, or a service did not take it
	RolledBack    EventKind = "rolled-back"    // the pair before it was put back
	Adopted       EventKind = "adopted"        // the pair that was installed and served was taken over
	Replaced      EventKind = "replaced"       // somebody else put another pair in the live one's place
	RecordsGone   EventKind = "retired"        // records of ours were taken out
	Retimed       EventKind = "retimed"        // records got another TTL
	RolloverOver  EventKind = "over"           // nothing of the predecessor is left
	Withdrew      EventKind = "withdrawn"      // a person wanted our records out
	Returned      EventKind = "returned"       // and in again
	Claimed       EventKind = "claimed"        // a person made a record ours that was not
	Emergency     EventKind = "emergency"      // a person declared the live key compromised
	EmergencyOver EventKind = "emergency-over" // nothing is left of that
	Froze         EventKind = "frozen"         // a person wanted nothing swapped or retired
	Thawed        EventKind = "thawed"         // that ended
	Warned        EventKind = "warning"        // a warning appeared
	Cleared       EventKind = "cleared"        // a warning is over
)

// What happens to the program.
const (
	Started EventKind = "started" // the daemon runs
	Stopped EventKind = "stopped" // it was asked to end
	Reread  EventKind = "reread"  // another configuration is in force
)

// An Event is something that happened. Its JSON is a contract: fields may be added.
type Event struct {
	At      time.Time `json:"at"`
	Lineage string    `json:"lineage"` // "": the program as a whole
	Kind    EventKind `json:"event"`
	Text    string    `json:"text"`

	Pair     tlsa.ChainID `json:"pair,omitempty"`     // that it is about; of a swap, what it leads to
	From     tlsa.ChainID `json:"from,omitempty"`     // of a swap: what was live before
	NotAfter time.Time    `json:"not_after,omitzero"` // of the pair
	Source   string       `json:"source,omitempty"`   // where the pair came from: staged, handed-in, ordered, rollback or queue
	Owner    tlsa.Owner   `json:"owner,omitempty"`    // where records stand
	Records  []string     `json:"records,omitempty"`  // that were added or taken out
	Code     Code         `json:"code,omitempty"`     // of a warning
	Severity Severity     `json:"severity,omitempty"` // likewise
	About    string       `json:"about,omitempty"`    // likewise
}

// OfWarnings reports whether the event is that a warning came or went. They come and go
// often where a server does, so that they are counted apart.
func (e Event) OfWarnings() bool { return e.Kind == Warned || e.Kind == Cleared }

// Changed are the events that make one set of a lineage's warnings of another; of the
// program's own for "".
func Changed(lineage string, before, after []Warning, now time.Time) []Event {
	var events []Event
	for _, w := range without(after, before) {
		events = append(events, w.event(lineage, Warned, now))
	}
	for _, w := range without(before, after) {
		events = append(events, w.event(lineage, Cleared, now))
	}
	return events
}

// without are the warnings that tell of something that none of others does.
func without(all, others []Warning) []Warning {
	var out []Warning
next:
	for _, w := range all {
		for _, o := range others {
			if w.same(o) {
				continue next
			}
		}
		out = append(out, w)
	}
	return out
}

func (w Warning) event(lineage string, kind EventKind, now time.Time) Event {
	return Event{At: now, Lineage: lineage, Kind: kind, Text: string(w.Code) + ": " + w.Text, Code: w.Code, Severity: w.Severity, About: w.About}
}
