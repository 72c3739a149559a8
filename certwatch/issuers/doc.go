// Package issuers knows the CA certificates that public CAs sign leaves with, as
// data in the tree. Under scheme ta their 2 1 1 is published ahead, so that a
// certificate of another of the CA's intermediates finds its record in place.
//
// A list ages: CAs change their intermediates every year or two, and say so where
// the lists' heads point to. A certificate of an issuer that is not listed goes the
// way of every other: its own 2 1 1 is published and waited for. So an old list costs
// a wait, and never a delivery.
//
// Each file begins with the date at which the CA's own page said what it lists. To
// bring one up to date, change certificates and date together; the test follows each
// certificate by its signatures to a root in testdata, and, where the host has them,
// to those that the host trusts.
package issuers
