// Package cloudflare changes TLSA RRsets in zones at Cloudflare, through version 4 of its
// API.
//
// # How a change is made
//
// The records of the zone are listed, compared with what the change was planned on, changed
// in one request, and listed again. Records that are to stay are not named in the
// request, so that they keep their ids, comments and tags. What is to be removed is named by
// the id that was read, so that nothing else goes; what is to be added gets the TTL that the
// others at the name have, automatic (300 seconds) where they have that.
//
// The request is a batch: its deletions, patches and additions are carried out in one
// transaction, all or none
// (https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/).
// It has no condition. An edit that somebody makes between the listing and the batch is
// noticed when a record that was to go has gone, or one that was to come has come, and
// else when the zone is listed again: then the change was made, and is reported as
// a conflict all the same.
//
// # What is believed
//
// That a change was made is believed when it is seen in the listing. A reply that is lost,
// cut off, or comes from something that stands in between is settled the same way.
//
// # Rights
//
// An API token, not the Global API Key, with the permission DNS: Edit for this one zone, and
// Zone: Read, unless the zone's id is configured. It is made at My Profile, API
// Tokens, Create Token, with the template "Edit zone DNS"
// (https://developers.cloudflare.com/fundamentals/api/get-started/create-token/).
package cloudflare
