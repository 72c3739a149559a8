package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Sight is the result of one look. A look that failed has Err set and says
// nothing about Value: unknown is never read as absent.
type Sight[T any] struct {
	Value T
	Err   string
}

// Known reports whether the look succeeded.
func (s Sight[T]) Known() bool { return s.Err == "" }

// Seen is a look that succeeded.
func Seen[T any](v T) Sight[T] { return Sight[T]{Value: v} }

// Unseen is a look that failed, and why.
func Unseen[T any](why string) Sight[T] {
	if why == "" {
		why = "not known"
	}
	return Sight[T]{Err: why}
}

// Observation is what was looked at in one pass. What is missing from a map was
// not looked at in this pass, which differs from a look that failed.
type Observation struct {
	Lineages map[string]LineageView
	Owners   map[tlsa.Owner]OwnerView         // by the name that clients ask for
	Copies   map[tlsa.Owner]Sight[tlsa.RRset] // by target: the provider's own copy
	Chains   map[tlsa.ChainID]*tlsa.Chain     // every chain that the rest names and State may lack
	// Unlisted are the names of DESIGN 4.6 of which it is unknown whether they have
	// records, and why; nil where they were not searched for in this pass. Those
	// that have some are among Owners, and stay there as long as State has a ledger.
	Unlisted map[tlsa.Owner]string
	MTASTS   map[string]Sight[bool] // by lineage: an MTA-STS policy in mode enforce (RFC 8461)
}

// LineageView is what was seen of one lineage on this host and at its endpoints.
type LineageView struct {
	Live      Sight[tlsa.ChainID] // where STATE/live leads; "" where there is no link yet
	Installed Sight[tlsa.ChainID] // what every install file holds; "" where there are no such files
	Offers    []Offer             // pairs in the stash that are handed in, oldest first
	StagedErr string              // why the staged files could not be taken
	Findings  []Warning           // what is to be said of them all the same
	Stash     map[tlsa.ChainID]Sight[struct{}]
	Addresses map[string]Sight[[]Address] // by endpoint URL: where it is reached; looked at with Served
	Served    []Presented                 // by address and offer; empty where not looked at
	Standby   tlsa.Association            // 3 1 1 of the standby key; zero: none
	Issuing   Issuing                     // the orders for its certificates
	Orders    Orders
}

// Offer is a pair handed in to become the successor.
type Offer struct {
	Chain tlsa.ChainID
	// Explicit is set where a person named the pair; a pair found in the staged
	// files counts only when it changed, and never replaces a younger one.
	Explicit bool
}

// Address is where an endpoint is reached.
type Address struct {
	Address string        // ip:port
	TTL     time.Duration // of the A or AAAA record; 0 where configured
	Local   bool          // on this host: the settle time judges it
}

// Presented is one handshake: an address, what was offered, what came back.
type Presented struct {
	URL       string
	Address   string // ip:port
	SNI       bool
	Algorithm string           // offered: rsa, ecdsa or any
	Chain     tlsa.ChainID     // "" where no chain was presented
	Outcome   PresentedOutcome // what the handshake says
	Err       string           // why there is no chain
}

// PresentedOutcome tells a server without TLS from one that could not be asked.
type PresentedOutcome string

const (
	Served     PresentedOutcome = "served"      // a chain was presented
	NotOffered PresentedOutcome = "not-offered" // no certificate of that algorithm: normal
	NoTLS      PresentedOutcome = "no-tls"      // reachable, and TLS does not work
	Unreached  PresentedOutcome = "unknown"     // could not be asked
)

// Security is the result of validation (RFC 4033, section 5).
type Security string

const (
	Secure        Security = "secure"
	Insecure      Security = "insecure"
	Bogus         Security = "bogus"
	Indeterminate Security = "indeterminate"
)

// OwnerView is everything seen of one owner name.
type OwnerView struct {
	Target       tlsa.Owner    // where aliases lead to; where to write
	Zone         string        // that holds Target
	Provider     string        // of ours that holds Zone; "": none does
	AliasTTL     time.Duration // of all aliases on the way; part of each answer's TTL
	Security     Security
	SecurityText string
	Servers      []ServerView
	Err          string // why the set of servers is unknown; "": it is known
	Findings     []Warning
}

// ServerView is the answer of one authoritative address.
type ServerView struct {
	Name        string
	Address     string
	NSTTL       time.Duration // the larger of the parent's and the child's NS TTL
	Answer      Sight[tlsa.RRset]
	Alias       bool      // of a zone on the way: it gave the alias, and has no RRset of its own
	Retained    bool      // no longer listed, still asked (DESIGN 4.12)
	Untested    bool      // this host has no route for the address family
	Unsigned    bool      // no signatures, in a zone that is not secure
	Bogus       bool      // there is an answer, and Answer is unknown as that does not validate
	SignedUntil time.Time // end of the first signature to end; zero where unsigned or left to the resolver
	// SignedFor is how long that signature lasts from its beginning on.
	SignedFor time.Duration
}
