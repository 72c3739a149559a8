// Package mtasts reads what domains publish for MTA-STS (RFC 8461): the TXT record, the
// policy, and the patterns in it. It is pure: who asks DNS and web servers does so
// elsewhere.
//
// It tells what no sender may use, which is an error, from what some senders put up
// with, which is a fault.
package mtasts
