package dnsprovider

import "time"

// A Capability says what a type of provider can do, and how that is known. An
// administrator chooses by it, and provider list prints it.
type Capability struct {
	Type string // as in the configuration: "desec"
	Name string // of the DNS host or protocol, for people: "deSEC"

	// Verified is what the common suite of tests ran against, such as "BIND 9.18, Knot
	// 3.2" or "a server written from the API's documentation". Empty for one that
	// is refused.
	Verified string
	// Atomic is how a change of one RRset becomes visible in the provider's own copy.
	Atomic Atomicity
	// MinTTL is the lowest TTL that the host takes; lower ones are raised to it. Zero: none is known.
	MinTTL time.Duration
	// DNSSEC says whether the host signs: "always", "on request", "by the server's operator",
	// "where it is the registrar", "no".
	DNSSEC string
	// TXT reports whether TXT values can be set for dns-01: whether it is a [TXTProvider].
	TXT bool

	// Margin is what is waited beyond the moment at which all visible servers agree:
	// behind an anycast address stand more servers than can be asked from one place.
	// MarginSource is where the figure comes from, or why there is none.
	Margin       time.Duration
	MarginSource string

	// Rights are the least that suffice, in the host's own words.
	Rights string
	// Hazards are what one should know before, one sentence each without full stop.
	Hazards []string

	// Refused says why there is none of this type, and Instead what to use. Both are empty
	// for a type that there is.
	Refused, Instead string
}

// Atomicity is how much of a change of one RRset becomes visible in one step.
type Atomicity string

// The degrees of atomicity, from the best.
const (
	// CompareAndSet is a change in one step, on condition that the RRset is what was read.
	CompareAndSet Atomicity = "compare and set"
	// OneStep is a change in one step; an edit that came just before it may go unnoticed
	// until the change is read back.
	OneStep Atomicity = "one step"
	// AddThenRemove adds first and removes then, in steps of their own: at no
	// moment is there less than before or after.
	AddThenRemove Atomicity = "add, then remove"
	// ByPerson is whatever the person does.
	ByPerson Atomicity = "by a person"
)
