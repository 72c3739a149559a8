package rollover

// auditMatchCodes are about records that do not match what is presented: served-unmatched
// has the case of which nothing more is known.
var auditMatchCodes = []Explanation{
	{
		Code: CodeDigestAgility, Severity: Danger, Person: true,
		Means:  "A record matches what is presented, and senders do not look at it: another record of the same usage and selector has a stronger digest, and that matches nothing (RFC 7671, section 9). Senders that enforce DANE cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When the record with the stronger digest is gone, or one of that digest matches, too.",
		Do:     "Take the records with the stronger digest out now; a digest comes in for all keys at once, or not at all.",
	}, {
		Code: CodeAddressUnmatched, Severity: Danger, Person: true,
		Means:  "Some addresses of the host present what a record matches, and others do not: most often one machine was forgotten when the certificate was renewed. Senders that enforce DANE cannot deliver there.",
		Shows:  "When a check sees both.",
		Clears: "When all addresses present what a record matches.",
		Do:     "Give the machine behind the address the certificate of the others and reload its server, or publish a record of what it presents.",
	}, {
		Code: CodeAlgorithmUnmatched, Severity: Danger, Person: true,
		Means:  "The server has a certificate for each of several key algorithms, and no record matches that of one of them. The sender chooses which one it gets, so mail from some senders fails.",
		Shows:  "When a check offers each algorithm and sees one fail.",
		Clears: "When a record matches the certificate of each algorithm, or there is but one.",
		Do:     "Publish 3 1 1 of the other certificate's key, too, or take that certificate out of the server.",
	}, {
		Code: CodeNoSNIUnmatched, Severity: Warn, Person: true,
		Means:  "Senders that do not name the host in the handshake are presented another chain, which no record matches. Almost all senders that use DANE name it; some old ones do not (RFC 7672, section 8.1).",
		Shows:  "When a check shakes hands with SNI and without, and sees the latter fail.",
		Clears: "When both chains match, or the server presents one to all.",
		Do:     "Make the chain for this host the server's default, or publish 3 1 1 of the default chain's key, too.",
	}, {
		Code: CodeSNIDemanded, Severity: Warn, Person: true,
		Means:  "The server ends the handshake if the sender does not name the host. It must present some chain instead (RFC 7672, section 8.1).",
		Shows:  "When a check shakes hands with SNI and without, and sees the latter fail.",
		Clears: "When a handshake without SNI succeeds.",
		Do:     "Give the server a default certificate.",
	}, {
		Code: CodeAnchorNotServed, Severity: Danger, Person: true,
		Means:  "All that could match are records of usage 2, and no certificate above the server's own in the chain presented is theirs: the CA now signs with another intermediate, or the server does not send the one that the record names. It has to, even a root (RFC 7672, section 3.1.2). Senders that enforce DANE cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When a certificate in the chain is a record's.",
		Do:     "Publish 3 1 1 of the key that the server presents now, which tlsaroll record prints; let the server send the full chain.",
	}, {
		Code: CodeAnchorPath, Severity: Danger, Person: true,
		Means:  "The chain presented has the CA certificate of a record of usage 2, and does not lead up to it: one in between is missing, or a signature does not hold. Senders that enforce DANE cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When the chain leads to the record's certificate.",
		Do:     "Let the server send the full chain, its own certificate first and each followed by its issuer's.",
	}, {
		Code: CodeAnchorDates, Severity: Danger, Person: true,
		Means:  "A record of usage 2 matches, and a certificate of the chain has ended or has not begun. With usage 2 senders look at dates, and those that enforce DANE cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When the whole chain is in date, or a record of usage 3 matches.",
		Do:     "Install a certificate, or a chain, that is in date; until then a 3 1 1 of the key that the server presents, as tlsaroll record prints it, helps.",
	},
}
