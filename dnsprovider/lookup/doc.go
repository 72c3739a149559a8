// Package lookup sees TLSA records as the world sees them: what every
// authoritative address of a zone gives, and what a validating resolver makes of it.
//
// The two looks answer different questions and are kept apart:
//
//   - The authoritative look says which RRset versions caches may be filled with
//     at this moment. It asks every A and AAAA of every name server that the
//     parent or the child names, and hidden ones from the configuration; one that
//     does not give a believable answer is unknown, never absent.
//   - The validating look says how a DANE client's lookup ends: secure, insecure,
//     bogus or indeterminate (RFC 4033, section 5).
//
// A [Client] lives as long as its configuration. A [Pass] is one look at many
// names: what they share (zone cuts, NS sets, addresses, keys, the resolver's
// self-test) is looked up once. Everything handed out is a value; nothing is
// decided here, nothing is remembered from one pass to the next but that the
// resolver passed its self-test.
//
// Signatures are verified per server: its DNSKEY RRset against the keys or the DS
// RRset that the validating resolver vouches for, its answer against those keys,
// denials with their NSEC or NSEC3 proof (RFC 4035, section 5; RFC 5155,
// section 8). Algorithms that the DNS library lacks rest on the resolver, and
// [ServerView.Proof] says so.
package lookup
