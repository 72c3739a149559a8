// Package dnsprovider changes TLSA RRsets through whoever serves the zone.
//
// A [Provider] works on the provider's own copy of the zone, the one that
// changes are made in. What the world sees of it, server by server and cache by
// cache, is another question and answered elsewhere: a change that was carried
// out here is not yet published.
//
// Changes are compare-and-set. A [Change] carries the RRset that was read and the
// one that is wanted; if the copy holds neither, nothing is changed and the error is
// [ErrConflict]: look again, plan again. So records that somebody else put
// beside ours survive, and two programs that change one RRset cannot undo each
// other's work.
//
// A [TXTProvider] adds and removes single TXT values: what the dns-01 challenge of ACME
// needs. There nothing is compared, as a value in a set is in nobody's way.
//
// # Names
//
// A zone is named canonically: lower case, A-labels, trailing dot, see
// [CanonicalZone]. Providers accept other spellings of it. The empty zone means:
// find it.
//
// # TTLs
//
// An RRset that exists keeps its TTL when its content changes; Change.After.TTL
// counts only for an RRset that does not exist yet. To change the TTL is a step of
// its own: a Change with equal contents and unequal TTLs. What is compared before a
// change is the content, never the TTL. Some providers raise a TTL that they find too
// low: what counts is the one that is read afterwards. A server that hands out an RRset with
// several TTLs (RFC 2181, section 5.2 forbids it) is read as giving the lowest.
//
// # Errors
//
// Every error of a Provider is an [*Error]; errors.Is tells its [Kind] by the
// sentinels [ErrConflict], [ErrRefused], [ErrNoZone], [ErrOutsideZone],
// [ErrAlias], [ErrUnauthentic], [ErrTemporary], [ErrMalformed],
// [ErrUnsupported] and [ErrIgnored], and by whatever the error wraps, such as
// [context.Canceled].
package dnsprovider
