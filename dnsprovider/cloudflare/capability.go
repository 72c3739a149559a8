package cloudflare

import (
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Capability says what the provider can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "cloudflare", Name: "Cloudflare",
		Verified: "a server written from the API's documentation",
		Atomic:   dnsprovider.OneStep,
		MinTTL:   minTTL,
		DNSSEC:   "on request",
		TXT:      true,

		Margin: 5 * time.Minute,
		MarginSource: "https://blog.cloudflare.com/dns-build-improvement/ has changes everywhere within seconds, and promises no time; " +
			"https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/ says that records travel one by one",

		Rights: "an API token with DNS: Edit and Zone: Read, Zone Resources limited to the one zone; with zone-id DNS: Edit alone",
		Hazards: []string{
			"a change of several records is one step in Cloudflare's database, and reaches its servers record by record",
			"DNS: Edit is for all records of the zone, there is no token for one name or type",
			"a TTL below a minute is raised to a minute, one above a day lowered to a day",
			"where the others at a name have an automatic TTL, a new record has it too: five minutes",
			"DNSSEC is off until it is switched on in the dashboard and the DS record is at the registrar",
		},
	}
}
