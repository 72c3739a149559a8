package lookup

import "fmt"

// A Finding is something a person should know that is no answer by itself.
type Finding struct {
	Code     string
	Severity Severity
	About    string // server, name, zone or word: stays while the text may change
	Text     string
}

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Serious Severity = "error" // breaks DANE for some
)

// Codes of findings.
const (
	FindingExcludeUnused    = "exclude-unused"       // the configuration excludes a server that there is not
	FindingFamilyUntested   = "family-untested"      // no route to an address family from here
	FindingAliasDisagree    = "alias-disagree"       // servers lead to different targets, or only some to one
	FindingCutDisagree      = "zone-cut"             // servers know a zone cut that the resolver does not
	FindingDenialBogus      = "denial-bogus"         // another type at the owner is bogus: the denials are broken
	FindingEmptyNonTerminal = "empty-non-terminal"   // _tcp.<base> is denied although names lie below it
	FindingHiddenUnsigned   = "hidden-unsigned"      // a hidden server gives no signatures
	FindingKeysDiffer       = "keys-differ"          // one server signs with a key that another does not give
	FindingLame             = "lame"                 // listed, but not authoritative
	FindingMixedTTL         = "mixed-ttl"            // records of one RRset with different TTLs
	FindingNSDisagree       = "ns-disagree"          // parent and child name different servers
	FindingNegativeTTL      = "negative-ttl"         // NSEC records live longer than RFC 9077 wants
	FindingNoAddress        = "no-address"           // a name server without address
	FindingNoDS             = "no-ds"                // signed, but insecure
	FindingOptOut           = "opt-out"              // denied in an opt-out span: insecure
	FindingIterations       = "nsec3-iterations"     // more than resolvers follow
	FindingResolverDiffers  = "resolver-differs"     // the resolver holds what no server gives now
	FindingSignatureTTL     = "signature-ttl"        // RRSIG original TTL and RRset TTL differ
	FindingSplitDNS         = "split-dns"            // the resolver sees another zone than the public
	FindingUDPLost          = "udp-lost"             // answers over TCP only
	FindingUnverified       = "unverified-algorithm" // signatures that only the resolver can check
	FindingWildcard         = "wildcard"             // the answer is expanded from a wildcard
)

func finding(code string, severity Severity, about, format string, args ...any) Finding {
	return Finding{code, severity, about, fmt.Sprintf(format, args...)}
}
