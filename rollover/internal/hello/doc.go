// Package hello finds out what a TLS server agrees to, by one ClientHello after the
// other: versions, cipher suites, groups, hashes. crypto/tls neither offers what is old
// and weak nor tells all that it was answered, so these are made by hand.
//
// No key is ever agreed on. What the server answers in the clear is read, up to TLS 1.2
// with its part of the key exchange; then the connection is ended with an alert (RFC
// 8446, section 6.1). In TLS 1.3 no key share is sent, to which a server answers with a
// HelloRetryRequest: version, suite and group stand in it (section 4.1.4).
package hello
