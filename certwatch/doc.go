// Package certwatch notices and reads certificate pairs, with care, and keeps copies of them.
//
// What an ACME client leaves on disk is looked at as a mail server would look at
// it, only more strictly: a key that does not fit its certificate, a chain in the
// wrong order, a file that is half written, a key that everybody can read. What
// can be repaired without guessing is repaired and said ([Finding]); everything
// else is an error that names the file and what to do.
//
//   - [Reader] reads the two files, or the one combined file, of a pair. A pair
//     that is still being written is [ErrUnsettled], which says when to look again.
//   - [Watch] tells when to look: links that turn, directories that come and go.
//   - [FromPEM] does the same for a pair that travels as content.
//   - [Stash] keeps copies, addressed by the SHA-256 of the whole chain's DER.
//   - [Keyring] keeps the keys that were made before there is a certificate for them.
//
// The chain of a [Pair] is the repaired one. It is what must be installed, as it
// is what the TLSA records were computed from.
//
// Private keys never reach an error, a log line or a test's output: [PrivateKey]
// prints as a placeholder under every verb, and the details of a key that cannot
// be read are kept back.
package certwatch
