package rfc2136

// GSS says how to sign with GSS-TSIG (RFC 3645): the key is negotiated with the server,
// on the strength of a Kerberos ticket, and lasts as long as the ticket.
type GSS struct {
	// Keytab is the path of the keytab with the principal's keys. It is read whenever
	// a ticket is needed, so that a new one counts at once. Its keys have to be of AES:
	// signatures are of another form with older ciphers (RFC 4757).
	Keytab string
	// Principal is whom the updates are made as, such as tlsaroll@EXAMPLE.ORG. Default
	// of the realm: default_realm of the Kerberos configuration.
	Principal string
	// Service is the principal of the server. Default: DNS/, followed by the name of the
	// server, in the realm that [domain_realm] says, else in that of Principal.
	Service string
	// Krb5Conf is the path of the Kerberos configuration. Of it count default_realm,
	// dns_lookup_kdc, [domain_realm] and the KDCs in [realms]; what it includes does not.
	// KDCs that it does not name are looked up in DNS. Default: /etc/krb5.conf, which
	// need not exist.
	Krb5Conf string
}
