// Package selfsigned makes certificates that are their own issuers. A server whose
// TLSA records are of usage DANE-EE needs no other: its clients go by the key alone
// (RFC 7671, section 5.1). Whoever goes by a CA, as mail programs and MTA-STS do,
// does not believe them.
package selfsigned
