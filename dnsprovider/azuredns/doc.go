// Package azuredns changes TLSA RRsets in public zones of Azure DNS, through Azure's resource
// manager.
//
// # How a change is made
//
// Azure DNS keeps record sets, each with an ETag. What was read is replaced or deleted on
// condition that its ETag is the same still (If-Match), and what is new is created on
// condition that there is none (If-None-Match: *)
// (https://learn.microsoft.com/en-us/rest/api/dns/record-sets/create-or-update). That is
// compare-and-set: if somebody else has been there meanwhile nothing happens (412). Metadata
// that people have put on a record set stays. Each owner is a request of its own.
//
// TLSA record sets and DNSSEC are in the API since version 2023-07-01-preview, which is a
// preview: Microsoft may withdraw it. Then every request fails with a sentence, and another
// version can be configured.
//
// # Rights
//
// An app registration with a client secret, and for it a role on the one zone: "DNS Zone
// Contributor", or one of one's own with Microsoft.Network/dnsZones/recordsets/read,
// Microsoft.Network/dnsZones/TLSA/read, write and delete, and the same of TXT for dns-01
// (https://learn.microsoft.com/en-us/azure/dns/dns-protect-zones-recordsets). To look for the
// zone needs Microsoft.Network/dnsZones/read in the resource group; with zone it does not.
package azuredns
