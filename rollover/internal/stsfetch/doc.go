// Package stsfetch gets MTA-STS policies from the web, as senders do (RFC 8461,
// section 3.3).
package stsfetch
