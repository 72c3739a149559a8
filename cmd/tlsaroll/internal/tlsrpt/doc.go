// Package tlsrpt reads the reports in which other mail systems tell how their TLS
// connections to ours went (RFC 8460), as files that somebody saved: JSON, gzipped JSON, or
// the mail that brought them. It takes what senders really send, which is not always what
// the RFC says, and puts failures side by side by host, kind and day.
//
// Whoever wants to can send a report: nothing in one is authenticated here, and nothing
// of it may move a cursor.
package tlsrpt
