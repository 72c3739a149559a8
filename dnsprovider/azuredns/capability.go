package azuredns

import (
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Capability says what the provider can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "azure", Name: "Azure DNS",
		Verified: "a server written from the API's documentation",
		Atomic:   dnsprovider.CompareAndSet,
		DNSSEC:   "on request",
		TXT:      true,

		Margin: 5 * time.Minute,
		MarginSource: "https://learn.microsoft.com/en-us/azure/dns/dns-faq has changes at all name servers within 60 seconds as a rule, " +
			"and promises no time",

		Rights: "an application with the role DNS Zone Contributor on the one zone, or with Microsoft.Network/dnsZones/recordsets/read and " +
			"Microsoft.Network/dnsZones/TLSA/read, write and delete",
		Hazards: []string{
			"TLSA record sets are in a preview of the API alone, which Microsoft may change or withdraw",
			"the secret of an application expires, after two years at most in the portal",
			"DNSSEC is off until it is switched on for the zone and the DS record is at the registrar",
		},
	}
}
