// Package exec changes TLSA RRsets through two commands of the operator's own: one that
// reads the zone, and one that changes it. So any DNS host can be had with a few lines of
// a script.
//
// # How a command is called
//
// A command is an argument list, never a shell's. It gets one JSON object on standard
// input and prints one to standard output. It runs in / as a process group of its own,
// with PATH, LC_ALL=C and what [Config.Env] has as its whole environment, one command of a
// provider at a time. When [Config.Timeout] is over, the whole group is killed.
//
// Exit status 0 says that what was printed counts. Any other says that nothing is known:
// the call failed and is repeated later; the last line on standard error becomes part of
// the error. Values of Config.Env are replaced there by their names. What goes to standard
// error and ends well is logged at level debug.
//
// # Version 1 of the schema
//
// Names are absolute and lower case, in A-labels, with the trailing dot. TTLs are in
// seconds. A record's data are its RDATA as a zone file has them (RFC 1035, section 5.1):
// "3 1 1 ab…" for TLSA, "\"…\"" for TXT, an absolute name for CNAME, DNAME and NS. Fields that
// are not named here are ignored on both sides; another version is refused on both sides.
//
// The read command gets
//
//	{"version": 1, "zone": "example.org.", "owners": ["_25._tcp.mx1.example.org."]}
//
// and prints what the provider's own copy of the zone holds:
//
//	{"version": 1, "whole": true, "records": [
//	  {"name": "example.org.", "type": "NS", "ttl": 86400, "data": "ns1.example.org."},
//	  {"name": "_25._tcp.mx1.example.org.", "type": "TLSA", "ttl": 3600, "data": "3 1 1 ab…"}]}
//
// With "whole" it lists all of the zone, and is not asked again in the same pass for other
// owners. Without it, it lists what concerns the owners it was asked about: their TLSA, TXT and
// CNAME records, and the NS and DNAME records at and above them, up to the zone; not what a
// wildcard would give there. Records of other types may be in it, and are not looked at.
//
// The change command gets
//
//	{"version": 1, "zone": "example.org.", "changes": [
//	  {"owner": "_25._tcp.mx1.example.org.", "type": "TLSA", "ttl": 3600,
//	   "before": ["3 1 1 ab…"], "after": ["3 1 1 ab…", "3 1 1 cd…"], "add": ["3 1 1 cd…"], "remove": []}]}
//
// For each change it makes "after" what stands at the owner of that type, all of it with
// the TTL "ttl", on condition that "before" stands there. Whoever thinks in steps does "add"
// first and "remove" then: that comes to the same, but for the TTL. Each data that stands
// there already is written just as the read command printed it, whatever its case. An empty
// "after" removes the RRset. An equal "before" and "after" is a change of the TTL. The type is
// TLSA, or TXT for dns-01. An owner is never twice in a call.
//
// It prints one result for each change, in any order:
//
//	{"version": 1, "results": [{"owner": "_25._tcp.mx1.example.org.", "status": "done"}]}
//
// A result that is not done says why, for people, in "message". The status is one of
//
//	done          it is changed, or was already
//	conflict      another RRset than "before" stands there, and nothing was changed
//	refused       it may not be changed: policy, rights, a key or token
//	no-zone       there is no such zone, or not at this account
//	outside-zone  the name lies in another zone
//	alias         a CNAME or DNAME stands in the way
//	unsupported   there are no means to do this
//	malformed     the change is not understood
//	temporary     the server is in trouble: later, again
//
// Either command may end so as a whole, with status 0 and without records or results:
//
//	{"version": 1, "status": "refused", "message": "the token has no rights for example.org"}
//
// # What is believed
//
// "done" is not. The read command is called before the changes and once after them, and a
// change is done when its RRset was read to be what was wanted. So a command that was killed
// in the middle, or lost the host's reply, does no harm: what stands there is what counts.
//
// Before the change command is called, what was read is compared with what the change
// assumes. Between the two somebody may be quicker, so the command has to compare "before"
// again, in one step with the change: under a lock, or by the host's own means. One that
// cannot leaves other people's records alone all the same if it adds "add" and removes
// "remove", and does not write "after".
//
// # Atomicity
//
// The changes of one owner are to become visible together; if that cannot be, additions
// come before removals. Changes of different owners have nothing to do with each other:
// that one fails keeps the others from nothing.
package exec
