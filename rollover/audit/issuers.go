package audit

import "github.com/tlsaroll/tlsaroll/rollover/tlsa"

// An IssuerSet is what is known of the CA certificates that one CA signs with for one
// kind of key.
type IssuerSet struct {
	Name string // as in letsencrypt-ecdsa
	CAA  string // the CA's name in CAA records (RFC 8659, section 4.2)
	// Current are the 2 1 1 of those that it signs with, and of those that it keeps in
	// reserve and may sign with at any time.
	Current []tlsa.Association
	// Retired are those that it signs with no more.
	Retired []tlsa.Association
}
