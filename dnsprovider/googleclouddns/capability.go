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

		Rights: "a service account with dns.managedZones.get, dns.changes.create and dns.resourceRecordSets.list on the one managed zone, and with " +
			"dns.resourceRecordSets.create, delete and update there on condition of name and type, or with roles/dns.admin on the zone; " +
			"without managed-zone dns.managedZones.list in the project, too (https://codelabs.developers.google.com/codelabs/cloud-dns-per-rrset-iam)",
		Hazards: []string{
			"the key of a service account does not expire: whoever has the file has its rights",
			"without a condition the rights are for all records of the zone",
			"DNSSEC is off until it is switched on for the managed zone and the DS record is at the registrar",
		},
	}
}
