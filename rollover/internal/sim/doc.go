// Package sim is the world that tests let the rules and the agent loose on: zones
// with their servers and caches, hosts that present chains, people, and a clock that
// goes on from one thing that happens to the next.
//
// # Two minds
//
// A world is decided for by one of two. The rules alone ([rollover.Next] and Done, for
// tests of one rule and for stories) make a pass in some microseconds. The other is
// the real agent with its inbox, its journal and its own time, whose looks and acts
// end in rooms of the world; changes go through the memory provider. Its process may
// end at any point of a pass, and the host may reboot with another clock.
//
// # Handshakes
//
// Caches are complete, not sampled: every answer counts as held for its TTL and a
// second, or as far as a cache stretches that within the floor, from every instant at
// which some server gave it. A handshake is one answer that may be held judged against
// one chain that may be presented; ten times a second each of the one meets each of
// the other, whatever happens in between. What matches is found by digests of the
// world's own, in the strong sense of RFC 7671, section 8; where an emergency is
// declared, any match is enough.
//
// # What happens
//
// In orderly worlds: servers lag, hide, are down or stuck, come and go; the set of
// servers or the validity cannot be told; the provider fails, limits the rate, loses
// replies; renewals come while others are on their way, with old keys, by another
// issuer and back, for two algorithms at one name, at several endpoints, behind a
// CNAME; addresses leave DNS and come back; reloads are slow, fail, or leave old
// workers; services ignore them or lose TLS; people freeze, cancel and go back; the
// wall clock jumps; the process ends anywhere. There the invariant has no exception.
//
// In others people, besides, delete, add, restore and re-TTL records, bring in servers
// with an old zone, are quicker than an update of ours, serve pairs of their own or the
// ACME client's files, withdraw, declare emergencies and lose the journal. There a
// failed handshake is ours unless people put the answer or the chain there, or the
// answer came and went unseen; and no change, swap or way back of ours may turn a
// match that could be known into a failure.
//
// In the end all is healed, and each lineage has to come to rest with its newest pair
// live everywhere, no record but those that are needed, and nothing to warn of.
//
// Not simulated: what DNS messages, TLS and files look like on the way (the rooms that
// deal with them have tests of their own, and the lab has real servers), resolvers that
// serve stale answers, and clocks that the kernel calls synchronised and that are not.
package sim
