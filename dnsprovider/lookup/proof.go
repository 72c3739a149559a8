package lookup

import "time"

// A Proof says what an answer's authenticity rests on.
type Proof string

const (
	// Verified answers carry signatures that verify with the zone's keys, and
	// denials their NSEC or NSEC3 proof.
	Verified Proof = "verified"
	// ByResolver answers carry signatures, within their time, of algorithms that
	// the library lacks: what they are worth, the validating resolver knows.
	ByResolver Proof = "resolver"
	// Unproved answers come from a zone that is not signed for anyone, from a
	// hidden server before the signer, or are denials that no resolver can prove
	// (NSEC3 opt-out, or more iterations than resolvers follow).
	Unproved Proof = "none"
)

// A seal is what the signatures over an answer prove.
type seal struct {
	proof  Proof
	until  time.Time     // end of the first signature to end; zero: none
	lasts  time.Duration // of that signature, from beginning to end
	labels int           // of the RRSIG: fewer than the name has say that a wildcard was expanded
}

// with returns what s and t prove together: the weaker proof, the earlier end.
func (s seal) with(t seal) seal {
	rank := map[Proof]int{Verified: 2, ByResolver: 1, Unproved: 0}
	if rank[t.proof] < rank[s.proof] {
		s.proof = t.proof
	}
	if until := earlier(s.until, t.until); until != s.until {
		s.until, s.lasts = t.until, t.lasts
	}
	return s
}

// of gives the seal its proof and its labels.
func (s seal) of(p Proof, labels int) seal {
	s.proof, s.labels = p, labels
	return s
}

// earlier returns the earlier of two times; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
