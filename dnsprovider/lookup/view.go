package lookup

import (
	"net/netip"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A View is everything seen of one TLSA owner name.
type View struct {
	Owner    tlsa.Owner    // asked
	Target   tlsa.Owner    // where aliases lead: the name to write at (RFC 7671, section 7)
	Zone     string        // that holds Target, absolute; "" if it could not be found
	Aliases  []Alias       // every step seen, from Owner on
	AliasTTL time.Duration // of all steps to Target together, the longest seen

	// Servers has one entry for each address that the world may ask about a name
	// on the way from Owner to Target. An address has several entries only while
	// servers disagree on the alias and it holds several RRsets.
	Servers []ServerView
	// Excluded are the servers that the configuration keeps from being asked.
	Excluded []Server
	// Incomplete says why Servers may lack some: a parent or an address lookup did
	// not answer. A server missing from such a list has not left.
	Incomplete string

	// Security is how a DANE client's TLSA lookup ends, aliases included.
	Security     Security
	SecurityText string // why
	// Resolved is what the validating resolver answered, without records for a
	// denial; its TTL is what is left of it there. Nil: nothing usable.
	Resolved *tlsa.RRset

	Findings []Finding
	Err      string // why the names or servers on the way are not known; Servers then holds what was seen
}

// An Alias is one CNAME step, maybe made from a DNAME.
type Alias struct {
	Owner  string
	Target string
	Zone   string        // that holds the alias; "" where only the resolver was asked
	TTL    time.Duration // the longest seen
	// Security of this step, where only the resolver was asked; "" elsewhere.
	Security Security
}

// A Server is one address of a name server.
type Server struct {
	Name    string         // "" for a hidden one given by address
	Address netip.AddrPort // not valid where the name has none
}

// String gives name and address, the port where it is not 53.
func (s Server) String() string { return label(s.Name, s.Address) }

// Retained is a server that left the NS sets, while caches may still name it.
type Retained struct {
	Server
	NSTTL time.Duration // handed back in the view
	Zone  string        // whose server it was; "": that which holds Asked
	Asked tlsa.Owner    // what it was asked for; "": View.Target
}

// A ServerView is what one authoritative address gave.
type ServerView struct {
	Server
	Zone   string
	Source Source
	// NSTTL is how long a cache may send questions there after nobody names it
	// any more: the larger of the parent's and the child's NS TTL, and the TTL of
	// its address.
	NSTTL time.Duration
	Asked tlsa.Owner // Owner, an alias on the way, or Target

	// RRset is what it gives. Its TTL is how long a cache may keep it: the largest
	// of the RRset's TTL, the signatures' TTL and their original TTL, or the
	// negative TTL for a denial; plus the TTLs of the aliases on the way.
	RRset tlsa.RRset
	// Denied says that it gave a denial; RRset is then without records and
	// NegativeTTL is how long that may be kept, without the aliases (RFC 2308,
	// section 5; RFC 8198, section 5).
	Denied      bool
	NegativeTTL time.Duration
	Wildcard    bool // the RRset is expanded from a wildcard
	// Leads is the alias target or the zone cut to which it leads; it then has no
	// RRset of its own, and agrees with whoever says the same.
	Leads string
	Alias bool // Leads is an alias target

	// Proof is what the answer's authenticity rests on.
	Proof Proof
	// SignedUntil is when the first signature ends that the answer rests on, the
	// DNSKEY RRset's included; zero where nothing is signed.
	SignedUntil time.Time
	// SignedFor is how long that signature lasts from its beginning on.
	SignedFor time.Duration

	// Err says why it is unknown what the server gives; "": all above is believed.
	// Where Err is set, RRset may hold what came and is not believed: it proves
	// nothing, but may be in a cache.
	Err   string
	Fault Fault // Err in one word
	// FamilyUntested says that this host has no route for the address family
	// (Err is set). JudgedBy is then another address of the same name that
	// answered and speaks for it; not valid if there is none.
	FamilyUntested bool
	JudgedBy       netip.AddrPort
}

// Signed reports whether the answer is signed, by signatures that verify or, for
// algorithms that the library lacks, at least last.
func (s ServerView) Signed() bool {
	return s.Err == "" && (s.Proof == Verified || s.Proof == ByResolver)
}
