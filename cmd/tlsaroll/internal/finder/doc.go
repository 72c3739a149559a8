// Package finder finds what a mail host has: the certificates that ACME clients keep there,
// the mail servers and which files they read, and the zones of which its BIND is the primary.
//
// It reads and asks, and changes nothing. The host's files and its programs are handed in,
// so that any tree of files can be one. Private keys are not read.
package finder
