package rfc2136

import "github.com/tlsaroll/tlsaroll/dnsprovider"

// Capability says what dynamic update can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "rfc2136", Name: "dynamic update (RFC 2136)",
		Verified:     "BIND 9.18, Knot 3.2 and PowerDNS 4.7, real servers",
		Atomic:       dnsprovider.CompareAndSet,
		DNSSEC:       "by the server's operator",
		TXT:          true,
		MarginSource: "every server that the zone names is asked; if a secondary service has anycast, set margin to what it says",
		Rights: "a TSIG key of its own that may change TLSA records at the owner names and nothing else, and TXT at _acme-challenge for dns-01: " +
			"BIND update-policy with name, Knot acl with update-type and update-owner-name, PowerDNS TSIG-ALLOW-DNSUPDATE (the whole zone) or a Lua policy",
		Hazards: []string{
			"a key that may change the whole zone is worth the whole zone: limit it to names and types",
			"PowerDNS lets everybody in allow-dnsupdate-from change a zone that has no TSIG-ALLOW-DNSUPDATE",
		},
	}
}
