package sink

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Kind is what is right or wrong with a scratch domain. It is the first label of its name.
type Kind string

// The kinds.
const (
	Right    Kind = "right"    // a record matches
	Wrong    Kind = "wrong"    // no record matches
	NoTLS    Kind = "notls"    // a record matches, and STARTTLS is not offered
	None     Kind = "none"     // there is no record
	Unusable Kind = "unusable" // no record is usable, and STARTTLS is not offered
	Agility  Kind = "agility"  // a record matches beside one of a stronger digest that does not
	Bogus    Kind = "bogus"    // the domain's DNSSEC is broken
)

// Kinds are those whose domains lie below one name, in the order in which they are shown. The
// domain of Bogus needs a zone of its own.
func Kinds() []Kind { return []Kind{Right, Wrong, NoTLS, None, Unusable, Agility} }

// About is what is right or wrong in words.
func (k Kind) About() string {
	return map[Kind]string{
		Right:    "the record matches",
		Wrong:    "the record does not match",
		NoTLS:    "the record matches, no STARTTLS",
		None:     "no record",
		Unusable: "no usable record, no STARTTLS",
		Agility:  "only the record of the weaker digest matches",
		Bogus:    "broken DNSSEC",
	}[k]
}

// Wants is what a sender that enforces DANE does with mail for such a domain: RFC 7672, section
// 2.2 for the records, section 2.1.1 for broken DNSSEC, section 5 for the digests.
func (k Kind) Wants() Outcome {
	if k == Right || k == None {
		return Delivered
	}
	return Kept
}

// Alone reports whether senders are not offered STARTTLS: one that leaves then has named neither
// the host nor a recipient, so nothing else may happen at that address meanwhile.
func (k Kind) Alone() bool { return k == NoTLS || k == Unusable }

// Needed reports whether there is no verdict without it.
func (k Kind) Needed() bool { return k == Right || k == Wrong || k == NoTLS }

// Records are the TLSA records of such a domain, where key is that of the sink.
func (k Kind) Records(key tlsa.Association) []tlsa.Association {
	mark, ok := k.Mark()
	switch {
	case !ok:
		return nil
	case k == Right, k == NoTLS, k == Agility:
		return []tlsa.Association{key, mark}
	}
	return []tlsa.Association{mark}
}

// Mark is the one of the records that no certificate matches. It is always the same, so that a
// check knows what an earlier one left that was killed. None has no records, and so no mark.
func (k Kind) Mark() (mark tlsa.Association, ok bool) {
	const sentence = "tlsaroll check --sender, the record that nothing matches"
	short, long := sha256.Sum256([]byte(sentence)), sha512.Sum512([]byte(sentence))
	mark = tlsa.Association{Params: tlsa.EE, Data: hex.EncodeToString(short[:])}
	switch k {
	case None, Bogus:
		return tlsa.Association{}, false
	case Unusable:
		mark.Matching = 255 // for private use: nobody knows it (RFC 6698, section 7.4)
	case Agility:
		mark.Matching, mark.Data = tlsa.SHA512, hex.EncodeToString(long[:])
	case Right, Wrong, NoTLS:
	}
	return mark, true
}

// A Case is one scratch domain.
type Case struct {
	Kind   Kind
	Domain string // in the form of [tlsa.CanonicalHost]
	// Address is where its mail goes, and Round when: cases that have an address for themselves
	// take turns there.
	Address netip.AddrPort
	Round   int
}

// Assign gives each case an address, at least one of which there must be, and a round. What is
// alone at an address gets the next free one; where none is left, a round of its own.
func Assign(cases []Case, addresses []netip.AddrPort) []Case {
	cases = slices.Clone(cases)
	free, round := addresses[1:], 0
	for i := range cases {
		c := &cases[i]
		c.Address, c.Round = addresses[0], 0
		if !c.Kind.Alone() {
			continue
		}
		if len(free) > 0 {
			c.Address, free = free[0], free[1:]
			continue
		}
		round++
		c.Address, c.Round = addresses[len(addresses)-1], round
	}
	return cases
}

// Rounds is how many there are.
func Rounds(cases []Case) int {
	rounds := 0
	for _, c := range cases {
		rounds = max(rounds, c.Round+1)
	}
	return rounds
}
