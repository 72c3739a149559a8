package rollover

// auditServedCodes are about what a server presents and how it speaks, whatever the records.
var auditServedCodes = []Explanation{
	{
		Code: CodeSTARTTLSPutOff, Severity: Danger, Person: true,
		Means:  "The server puts TLS off with a temporary error, such as 454, while TLSA records stand. Senders that enforce DANE wait; a server with TLSA records must not offer TLS to some only (RFC 7672, section 9.2).",
		Shows:  "When a check sees it.",
		Clears: "When the server takes TLS from the check.",
		Do:     "Look at the server's log: often it cannot read its key. Take STARTTLS out of greylisting and limits of rate.",
	}, {
		Code: CodePlaintextOnly, Severity: Warn, Person: true,
		Means:  "The server offers no working TLS. There are no TLSA records, so mail arrives, for everybody on the way to read; senders that insist on TLS do not deliver.",
		Shows:  "When a check sees it.",
		Clears: "When a handshake succeeds.",
		Do:     "Give the server a certificate and switch STARTTLS on.",
	}, {
		Code: CodeGreetingSlow, Severity: Warn, Person: true,
		Means:  "The server takes more than 10 seconds to greet. Some senders do not wait as long, though they should for 5 minutes (RFC 5321, section 4.5.3.2.1).",
		Shows:  "When a check waits that long.",
		Clears: "When the server greets sooner.",
		Do:     "Shorten the delay, which is meant for senders of junk, or look at the server's load and its own lookups.",
	}, {
		Code: CodeTLSOld, Severity: Warn, Person: true,
		Means:  "The server takes versions of TLS older than 1.2, which must not be used (RFC 8996). Checks, Internet.nl's among them, refuse that.",
		Shows:  "When a check is let in with such a version.",
		Clears: "When the server takes TLS 1.2 and newer only.",
		Do:     "Switch SSL 3.0, TLS 1.0 and TLS 1.1 off; the few senders that know nothing newer then send in the clear, or not at all.",
	}, {
		Code: CodeTLSOnlyOld, Severity: Danger, Person: true,
		Means:  "The server takes no version of TLS newer than 1.1. Most senders refuse such a handshake; with TLSA records standing they do not deliver.",
		Shows:  "When a check finds TLS 1.2 and 1.3 refused.",
		Clears: "When the server takes TLS 1.2 or newer.",
		Do:     "Bring the server's TLS library up to date, or allow TLS 1.2 and 1.3 in its configuration.",
	}, {
		Code: CodeTLSOnlyNew, Severity: Info,
		Means:  "The server takes TLS 1.3 only. Senders that know no more than TLS 1.2 cannot deliver with TLS.",
		Shows:  "When a check finds TLS 1.2 refused.",
		Clears: "When the server takes TLS 1.2, too.",
		Do:     "Allow TLS 1.2 unless all who send to you know TLS 1.3.",
	}, {
		Code: CodeCertificateDates, Severity: Warn, Person: true,
		Means:  "The certificate has ended, or has not begun. With a record of usage 3 that does not matter to DANE (RFC 7671, section 5.1); it does to records of usage 2, to MTA-STS, and to senders that look at it for themselves.",
		Shows:  "When a check sees it.",
		Clears: "When the server presents one that is in date.",
		Do:     "Install a certificate that is in date, its record published first; look at the ACME client, and whether the server was reloaded.",
	}, {
		Code: CodeCertificateName, Severity: Info,
		Means:  "The certificate is not for the host's name. With a record of usage 3 that does not matter to DANE (RFC 7672, section 3.1.1); it does to records of usage 2, to MTA-STS, and to senders that look at it for themselves.",
		Shows:  "When a check sees it.",
		Clears: "When the server presents one that is for the host.",
		Do:     "Nothing, if DANE with usage 3 is all that you want. Else have it issued for the host's name.",
	}, {
		Code: CodeCertificateUntrusted, Severity: Info,
		Means:  "The certificate leads to no CA that browsers believe. DANE does not ask for that (RFC 7672, section 3.1); MTA-STS does, and senders that look at it for themselves.",
		Shows:  "When a check sees it.",
		Clears: "When the server presents a chain that does.",
		Do:     "Nothing, if DANE is all that you want. Else get a certificate of a public CA, and let the server send the full chain.",
	}, {
		Code: CodeKeyWeak, Severity: Warn, Person: true,
		Means:  "A key of the chain is an RSA key of less than 2048 bits. Current TLS libraries refuse it.",
		Shows:  "When a check sees it.",
		Clears: "When the server presents a chain without it.",
		Do:     "Make a new key, ECDSA P-256 best of all, and publish its record first.",
	}, {
		Code: CodeKeyRare, Severity: Info,
		Means:  "The certificate's key is of a kind that not all senders know, so that some cannot make a handshake with it.",
		Shows:  "When a check sees it.",
		Clears: "When the server presents another key, or another certificate beside it.",
		Do:     "Use ECDSA P-256, or RSA of 2048 bits and more, or have such a certificate beside it.",
	}, {
		Code: CodeKeyShared, Severity: Info,
		Means:  "Several MX hosts present the same key. They all change at the same moment, so that a mistake in a renewal breaks all of them at once.",
		Shows:  "When a check sees it.",
		Clears: "When each host has its own key.",
		Do:     "Give each host its own key and certificate, and renew them on different days.",
	}, {
		Code: CodeCAANone, Severity: Info,
		Means:  "No CAA record says which CAs may issue certificates for the host, so that all may (RFC 8659, section 3).",
		Shows:  "When a check finds no CAA record with issue, at the host or above.",
		Clears: "When there is one.",
		Do:     "Publish CAA records that name the CA in use.",
	}, {
		Code: CodeCAAExcludes, Severity: Warn, Person: true,
		Means:  "The CAA records do not let the CA issue that issued the certificate in use, so that its renewal will fail.",
		Shows:  "When a check knows the CA's name in CAA records and does not find it, or finds that no CA may issue.",
		Clears: "When the records name the CA, or another CA issued the certificate in use.",
		Do:     "Add the CA to the CAA records, or change to the CA that they name before the certificate ends.",
	},
}
