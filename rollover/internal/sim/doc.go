// Package sim is the world that tests let the rules loose on: a zone with its
// servers and complete caches, hosts that present chains, people, and a clock that
// goes on from one thing that happens to the next.
//
// Caches are complete, not sampled: every answer counts as held for its TTL and a
// second from every instant at which some server gave it. So what is asserted at a
// handshake holds for whatever resolver asked whenever.
package sim
