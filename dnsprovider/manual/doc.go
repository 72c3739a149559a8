// Package manual has a person change the zone: for hosts without an API, and for zones
// that somebody else looks after.
//
// # What happens to a change
//
// [Provider.Apply] reads the RRset at the zone's primary. What is not as it should be
// the person is told of: the exact lines of the zone to add and to remove. Apply does not wait
// for that to happen: its error is of kind [dnsprovider.Temporary] with a
// [dnsprovider.ByHandError] as its cause, which has the lines, too. Whoever calls Apply calls
// it again later; once the primary has the records, there is no error any more. From then on
// all rules are those of any other provider: what counts is what all servers are seen to have.
//
// If somebody does half of it, or something else, that is a conflict as with any provider:
// look again, plan again, and the person is told of what is left.
//
// # How often the person is told
//
// Once a change, however often it is asked for; again a day later where records are to be
// added, as the next certificate waits for them, and a week later where it is only that
// some are to be removed or have another TTL: nothing waits for that. What was told is
// kept in [Config.Told] across restarts. If that file is lost, or there is none, the
// person is told once more.
//
// # What is read
//
// The primary is [Config.Server], else the one that the zone's SOA names (MNAME). It is asked
// over TCP, not recursively, and believed only where it answers with authority. Nothing
// proves that it is the one; but nothing is swapped or retired on its word alone.
//
// TXT values for dns-01 cannot be had this way: a challenge is good for minutes, and there is
// one with each order. Use http-01 or tls-alpn-01, or let a CNAME lead _acme-challenge into a
// zone that another provider holds.
package manual
