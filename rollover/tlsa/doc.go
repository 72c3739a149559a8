// Package tlsa holds the nouns of RFC 6698 and the DANE match of RFC 7671:
// owner names, parameter combinations, associations, RRsets, certificate chains,
// and the question whether one vouches for the other. Values are small and
// inert; nothing here performs I/O, reads a clock or logs.
//
// Two answers to "does it match" are kept apart, because they are different
// questions:
//
//   - [RRset.Authenticates] is what one DANE client does: digest agility, then
//     any usable record (RFC 7671, sections 8 and 9).
//   - [RRset.Vouches] is what a publisher must keep true: for each parameter
//     combination in the RRset some record matches (RFC 7671, section 8), with
//     and without digest agility, without leaning on what only some clients do.
//
// Both rest on [Chain.Match], which answers for one record and gives the reason
// as a [MatchError].
package tlsa
