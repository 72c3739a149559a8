package googleclouddns

import (
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Capability says what the provider can do.
func Capability() dnsprovider.Capability {
	return dnsprovider.Capability{
		Type: "googleclouddns", Name: "Google Cloud DNS",
		Verified: "a server written from the API's documentation",
		Atomic:   dnsprovider.CompareAndSet,
		DNSSEC:   "on request",
		TXT:      true,

		Margin: 5 * time.Minute,
		MarginSource: "https://cloud.google.com/dns/docs/reference/rest/v1/changes says that a change which is done has been sent to the servers, " +
			"which \"might not be updated yet\", and promises no time",

		Rights: "a service account with roles/dns.admin on the one managed zone, or a role with dns.changes.create and " +
			"dns.resourceRecordSets.create, delete, list and update; dns.managedZones.list in the project unless managed-zone is set",
		Hazards: []string{
			"the key of a service account does not expire: whoever has the file has its rights",
			"the rights are for all records of the zone, IAM knows none for one name",
			"DNSSEC is off until it is switched on for the managed zone and the DS record is at the registrar",
		},
	}
}
