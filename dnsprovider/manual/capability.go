package manual

import "github.com/tlsaroll/tlsaroll/dnsprovider"

// Capability says what a person can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "manual", Name: "a person",
		Verified:     "a person of the tests' own, who changes a zone on a DNS server",
		Atomic:       dnsprovider.ByPerson,
		DNSSEC:       "by the server's operator",
		MarginSource: "who serves the zone is not known here; if it is by anycast, set margin to what its operator says",
		Rights:       "none: the zone's primary has to answer questions over TCP",
		Hazards: []string{
			"every rollover waits for a person, twice: before the swap, and at leisure after it",
			"no TXT for dns-01: a challenge is good for minutes",
			"each certificate with a new key asks for a change; with a key that is kept, or the scheme ta, there are fewer",
		},
	}
}
