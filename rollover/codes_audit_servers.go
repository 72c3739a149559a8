package rollover

// auditServerCodes are about what name servers give, and what caches hold.
var auditServerCodes = []Explanation{
	{
		Code: CodeServerUnmatched, Severity: Danger, Person: true,
		Means:  "The authoritative servers give different records, and those of some match nothing that is presented: a secondary is behind, or ahead. Senders whose resolver asks there cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When all servers give records that match.",
		Do:     "Find out why that server has another zone: zone transfers, NOTIFY, or a second primary. Let the mail server present the former certificate until it has caught up.",
	}, {
		Code: CodeServerBogus, Severity: Danger, Person: true,
		Means:  "An authoritative server gives an answer that does not validate, while others give one that does: its signatures have ended, are missing or are of other keys. Senders whose resolver asks there do not deliver.",
		Shows:  "When a check sees it.",
		Clears: "When its answer validates.",
		Do:     "See whether that server gets the signed zone, and when it last did.",
	}, {
		Code: CodeTLSAUnanswered, Severity: Warn, Person: true,
		Means:  "The host's addresses can be looked up, and its TLSA records cannot: no authoritative server gives a usable answer for that type. Some load balancers and firewalls do so. Senders that enforce DANE do not deliver until they get an answer, even if there is no record (RFC 7672, section 2.2.2).",
		Shows:  "When a check gets no answer from any server that it could ask.",
		Clears: "When a server answers for TLSA.",
		Do:     "Ask the servers for TLSA at _25._tcp below the host: they have to answer with the records, or that there are none. Look at what stands in front of them.",
	}, {
		Code: CodeDenialCached, Severity: Info,
		Means:  "The authoritative servers have TLSA records, and a resolver still holds the answer that there are none. That breaks nothing: senders that get it deliver without DANE. The records count everywhere when the last such answer has expired.",
		Shows:  "When the check's resolver holds the denial.",
		Clears: "When the denial has expired, after the negative TTL of the zone.",
		Do:     "Nothing: wait.",
	},
}
