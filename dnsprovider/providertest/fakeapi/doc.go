// Package fakeapi has servers that behave as the APIs of DNS hosts do, for tests. Each is
// written from the host's public documentation, with the quirks that are known of it,
// each cited where it is done; none of them is the host, so what they cannot show is
// what the host does and nobody has written down.
//
// A [Server] is such an API with one zone and one account. It counts requests, and fails
// them in whatever way a test of [providertest] asks for. An [Internet] leads programs
// that believe they talk to the host itself, by its name and over TLS, to the servers:
// they need nothing but two environment variables.
package fakeapi
