// Package sink finds out what a mail server does as a sender: it is a small SMTP server that
// takes mail for a few scratch domains and throws it away, notes how each sender came and left,
// and says whether that is what RFC 7672 asks of one that enforces DANE.
//
// Each scratch domain is a case: one whose TLSA record matches, one whose does not, one where
// STARTTLS is not offered, and so on. What a case is, what came of it and what follows from all
// of them are values; only [Sink] and [Watch] have to do with the world.
package sink
