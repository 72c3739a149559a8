package lab

import "strings"

// Encrypted is an [Outcome] in TLS that has to be, with nobody authenticated: there are
// TLSA records, and none is usable (RFC 7672, section 2.2).
const Encrypted Outcome = "encrypted"

// FingerDANE is as [Lab.Finger] for a sender that uses DANE where it applies, and that waits
// longer: at port 25 of the MX hosts of a domain until one takes the connection, or in
// brackets of a host. [NoRecords] means here that DANE does not apply: mail goes on
// without it.
func (l *Lab) FingerDANE(resolver int, destination string) Handshake {
	h := l.senders[resolver].finger("-l", "dane", "-c", "-t", "20", "-T", "20", "-L", "routine,certmatch,dane", destination+":25")
	h.judge()
	has := func(text string) bool { return strings.Contains(h.Output, text) }
	switch {
	case has("MX RRset insecure: log verified as trusted") && has("Trusted TLS connection established"):
		h.Outcome = Verified // and called otherwise
	case h.Outcome != Unverified && h.Outcome != NoTLS || has("DNSSEC-signed TLSA record"), has("Failed to establish session"):
	case has("TLSA certificate usage"), has("TLSA records unusable"):
		h.Outcome = Encrypted
	default:
		h.Outcome = NoRecords
	}
	return h
}
