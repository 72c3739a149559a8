// Package probe looks at what mail servers present: it connects to an address of
// an endpoint, brings TLS about in the words of the endpoint's protocol, takes
// the certificate chain and leaves politely. It judges nothing: which TLSA records
// match a chain is the business of package tlsa.
//
// A server may have a chain for each key algorithm and another one for clients
// without SNI, and DANE must hold for all of them (RFC 7672, section 8.1), so
// [Prober.Address] makes a matrix of offers: SNI with the TLSA base domain and
// none; any algorithm, RSA only and ECDSA only. The last two are made in
// TLS 1.2, where the cipher suite names the algorithm of the key.
//
// Unknown is never absent. Where nothing was learned of a server's TLS, [Outcome.Known]
// is false; where it is sure that clients get no TLS, [Outcome.Broken] is true.
package probe
