// Package rollover decides, and only decides: [Next] is the whole algorithm, a
// pure function from what is remembered, seen, wanted and the time, to what to
// remember and to do next. It performs no I/O, reads no clock and logs nothing.
//
// # The one invariant
//
// At every moment, whatever TLSA answer any honest resolver may still be holding
// for any of our names vouches for whatever certificate any of our addresses may
// present, for each parameter combination in that answer (RFC 7671, section 8).
//
// Four steps can break it, and each has its guard: publish (a combination that
// nobody's chain fails), swap (every answer that may still be cached matches the
// successor), back (every such answer matches the previous pair) and retire
// (nobody presents, or presented lately, what needs the record).
//
// # A rollover
//
//	admit      publish      every server has it        old answers dead        retired
//	  |           |                 |                        |                    |
//	  |           |<- propagation ->|<- publication interval |                    |
//	  |           |    (observed)   |      (Ipub)           swap <-- retire ----->|
//	  |           |                 |                        |      window        |
//	generated     |             published                  ready  retiring      steady
//
// # What the caller does
//
// For each owner group - all lineages that share an owner name - again and again:
// look, ask Next, make the state durable, carry out the actions in order, and
// enter each one's end with [Done]. Where the plan has names to Read, read the
// provider's copy of those and ask Next again with the state it was first given.
// Look again when the plan says, or sooner: every call looks at everything, and
// nothing depends on being woken in time but the speed of the rollover.
//
// # The version ledger
//
// Everything that is waited for is derived from one record: which RRset versions
// any server may have given, and until when ([Ledger]). A version is dead when no
// cache that obeys TTLs can hold it; a certificate is ready when every version
// that is not dead vouches for it. A reused key, a standby key, an unchanged
// issuer, a TTL lowered yesterday, a record put in and out by hand: all follow
// from that one rule. Unknown is never absent and never present: a server that
// does not answer counts as giving everything that is not dead.
package rollover
