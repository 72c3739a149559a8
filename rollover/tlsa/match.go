package tlsa

import "time"

// A Reference is what a DANE client brings to a match besides the records and
// the chain.
type Reference struct {
	// Names are the reference identifiers for DANE-TA, each in the form of
	// [CanonicalHost]; one of them must be among the leaf's (RFC 7672, section 3.2.2).
	// DANE-EE ignores them (RFC 7671, section 5.1).
	Names []string
	// Time is when the match is made; DANE-EE ignores it.
	Time time.Time
	// SMTP says that usages 0 and 1 are unusable (RFC 7672, section 3.1.3).
	SMTP bool
}

func (c *Chain) establish() {}

// Match says at which depth of the chain a vouches for it, or why it does not.
func (c *Chain) Match(a Association, ref Reference) (depth int, err error) { panic("soon") }

// Unusable says why no client can use a (RFC 6698, section 4.1; RFC 7671, section 9), nil if one can.
func (a Association) Unusable(ref Reference) error { panic("soon") }

// Authenticates answers as one DANE client: after digest agility (RFC 7671,
// section 9; RFC 7672, section 5) any usable record is enough. It is nil where the RRset is a denial or all is unusable.
func (s RRset) Authenticates(c *Chain, ref Reference) error { panic("soon") }

// Vouches answers as a publisher must: every combination in the RRset matches
// (RFC 7671, section 8), with and without digest agility. Nil as in Authenticates.
func (s RRset) Vouches(c *Chain, ref Reference) error { panic("soon") }
