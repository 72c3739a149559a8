package rfc2136

import "github.com/tlsaroll/tlsaroll/dnsprovider"

// Capability says what dynamic update can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "rfc2136", Name: "dynamic update (RFC 2136)",
		Verified:     "BIND 9.18 and Knot 3.2, real servers",
		Atomic:       dnsprovider.CompareAndSet,
		DNSSEC:       "by the server's operator",
		TXT:          true,
		MarginSource: "none: every server that the zone names is asked; behind an anycast address of a secondary service set margin to what that service says",
		Rights:       "a TSIG key of its own that may change TLSA records at the owner names and nothing else; TXT at _acme-challenge for dns-01",
		Hazards: []string{
			"a key that may change the whole zone is worth the whole zone: limit it to names and types",
		},
	}
}
