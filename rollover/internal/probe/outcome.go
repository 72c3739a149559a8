package probe

// An Outcome is what came of one offer at one address.
type Outcome string

const (
	// Served: the handshake was completed; the chain is what clients get.
	Served Outcome = "served"
	// Unreachable: no connection, no answer in time, or the connection was lost
	// before TLS was due. Nothing is known.
	Unreachable Outcome = "unreachable"
	// Refused: the server is there and does not want to talk now, or not to us (4xx
	// or 5xx greeting, EHLO rejected, BYE, -ERR). Nothing is known.
	Refused Outcome = "refused"
	// NoSTARTTLS: the server talks, but offers no STARTTLS or declines it (454 too:
	// a sender that must have TLS defers then; RFC 7672, section 2.2).
	NoSTARTTLS Outcome = "no-starttls"
	// ProtocolError: what answers does not speak the endpoint's protocol, or says
	// something in the clear where TLS is due.
	ProtocolError Outcome = "protocol-error"
	// HandshakeFailed: TLS was due and did not come about. A server that has nothing but
	// finite-field Diffie-Hellman ends here too, as crypto/tls lacks that.
	HandshakeFailed Outcome = "handshake-failed"
	// NotOffered: the server has no certificate of the algorithm asked for. This is normal.
	NotOffered Outcome = "not-offered"
	// AlgorithmUntested: this program cannot tell what a client that asks for the
	// algorithm gets: TLS 1.2 is off, or the certificate is of a kind that it
	// cannot read. What the offer of any algorithm saw counts.
	AlgorithmUntested Outcome = "algorithm-untested"
)

// Known reports whether something was learned of the server's TLS. If not, what
// it presents must be assumed to be what it presented before, and anything else.
func (o Outcome) Known() bool {
	switch o {
	case Served, NoSTARTTLS, ProtocolError, HandshakeFailed, NotOffered:
		return true
	}
	return false
}

// Broken reports whether the server is known to give no TLS to who makes this
// offer: with TLSA records standing, mail waits (RFC 7672, section 2.2).
func (o Outcome) Broken() bool { return o == NoSTARTTLS || o == ProtocolError || o == HandshakeFailed }

// ResultType is the word of RFC 8460, section 4.3 for a broken outcome, "" for the others.
func (o Outcome) ResultType() string {
	switch o {
	case NoSTARTTLS:
		return "starttls-not-supported"
	case ProtocolError, HandshakeFailed:
		return "validation-failure"
	}
	return ""
}
