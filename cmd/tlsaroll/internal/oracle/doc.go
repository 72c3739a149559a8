// Package oracle asks other DANE clients what they make of the certificate chains and
// TLSA records that rollover/tlsa judges: Postfix (posttls-finger, after STARTTLS), OpenSSL
// (s_client), NLnet Labs' ldns-dane and GnuTLS's danetool. It has tests alone.
//
// Several hundred cases are drawn, always the same ones: chains in and out of order, with
// certificates missing, expired, for other hosts, cross-signed, self-signed or
// weak, beside records of every usage, selector and matching type, right, wrong,
// malformed and mixed. Each case has a name in a signed zone of its own lab, and is
// put to each client that can take it.
//
// Where a client answers otherwise, the table of disagreements says why, with the section
// of an RFC and who is right. A disagreement that it does not explain fails the test; so
// does an explanation for which there is no disagreement left.
package oracle
