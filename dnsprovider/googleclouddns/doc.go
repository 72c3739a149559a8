// Package googleclouddns changes TLSA RRsets in managed zones of Google Cloud DNS, through
// version 1 of its API.
//
// # How a change is made
//
// Cloud DNS keeps RRsets, and changes them atomically: a change deletes RRsets and adds
// others, and "must match existing data exactly" in what it deletes
// (https://cloud.google.com/dns/docs/reference/rest/v1/changes). So what was read is deleted as
// it was read, and what is wanted is added, in one change: if somebody else has been
// there meanwhile nothing happens (412, or 404 where the RRset has gone), and neither does
// where an RRset is to be added and there is one (409). That is compare-and-set. The TTL is
// part of it.
//
// That a change was made is believed when it is seen in the zone's listing.
//
// # Rights
//
// A service account of its own with a key in JSON, and on the managed zone the role
// DNS Administrator (roles/dns.admin), or two of one's own: one with dns.managedZones.get,
// dns.changes.create and dns.resourceRecordSets.list, and one with
// dns.resourceRecordSets.create, delete and update, which can be bound on condition of the
// RRset's name and type (https://codelabs.developers.google.com/codelabs/cloud-dns-per-rrset-iam).
// Zones can have IAM policies of their own
// (https://cloud.google.com/dns/docs/zones/iam-per-resource-zones). To look for the zone needs
// dns.managedZones.list in the project; with managed-zone it does not.
package googleclouddns
