package exec

import "github.com/tlsaroll/tlsaroll/dnsprovider"

// Capability says what commands of the operator's own can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "exec", Name: "two commands of your own",
		Verified:     "a program of the tests' own; pdnsutil of PowerDNS 4.7; a zone file of BIND 9.18",
		Atomic:       dnsprovider.CompareAndSet,
		DNSSEC:       "by the server's operator",
		TXT:          true,
		MarginSource: "who serves the zone is not known here; if it is by anycast, set margin to what its operator says",
		Rights:       "what the commands need: one reads the zone, the other changes TLSA records in it, and TXT for dns-01",
		Hazards: []string{
			"a change is compared and set, and becomes visible in one step, only if the command sees to it",
			"the commands run as tlsaroll does, which is root by default",
		},
	}
}
