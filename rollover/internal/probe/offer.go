package probe

import "crypto/tls"

// Key algorithms that an offer can ask for.
const (
	RSA   = "rsa"
	ECDSA = "ecdsa"
)

// An Offer is what the client says of itself in a handshake, as far as the server
// may choose its certificate by it.
type Offer struct {
	// SNI: name the TLSA base domain, as DANE clients must (RFC 7672, section 8.1); else no name.
	SNI bool
	// Algorithm of the server's key: RSA, ECDSA, or "" for any. An Ed25519 key
	// is authenticated by the ECDSA suites in TLS 1.2 (RFC 8422, section 2.1).
	Algorithm string
}

// String describes the offer as in "SNI, rsa only".
func (o Offer) String() string {
	s := "no SNI"
	if o.SNI {
		s = "SNI"
	}
	if o.Algorithm != "" {
		s += ", " + o.Algorithm + " only"
	}
	return s
}

// config gives a client that sees as much as it can and believes nothing: sessions
// are never resumed, as a resumed one shows no certificate; any chain is taken; a
// request for a client certificate is answered with none.
func (o Offer) config(e Endpoint) *tls.Config {
	c := &tls.Config{
		InsecureSkipVerify:     true, // whether the chain is right is for TLSA records to say
		SessionTicketsDisabled: true,
		MinVersion:             tls.VersionTLS12, // RFC 8996
		// Without the post-quantum groups, whose ClientHello takes two packets: some
		// servers and middleboxes choke on the second, and no certificate depends on it.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
	}
	if o.SNI {
		c.ServerName = e.Host
	}
	switch o.Algorithm {
	case RSA:
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = rsaSuites()
	case ECDSA:
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = ecdsaSuites()
	default:
		c.CipherSuites = append(ecdsaSuites(), rsaSuites()...) // those of TLS 1.3 are always in
	}
	return c
}

// The suites reach as far as senders do (RFC 7435: some protection most of the time),
// not as far as is wise: with CBC and RSA key transport, which RFC 9325, section 4
// advises against, because senders offer them still, no secret goes over the
// connection, and a chain not seen would be a chain not judged. Without RC4
// (RFC 7465) and 3DES; finite-field Diffie-Hellman is not in crypto/tls.
func rsaSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	}
}

func ecdsaSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	}
}
