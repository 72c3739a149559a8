// Package audit judges a mail domain as its senders do: whether mail arrives, with
// DANE, without, or not at all, by the rules of RFC 7672, section 2.2; what is
// wrong, and what is to be done about it.
//
// Values go in and values come out: a [Domain] is what was seen at one time, and
// [Judge] makes a [Report] of it. Nothing here looks at anything; package survey
// does. The daemon has its own hosts judged by [JudgeHost].
//
// Unknown is never good and never bad: what could not be looked at is said to be
// so, and a verdict that hangs on it is [Unknown].
package audit
