package rollover

// auditRecordCodes are about what TLSA records say, whatever is presented.
var auditRecordCodes = []Explanation{
	{
		Code: CodeRecordsUnusable, Severity: Warn, Person: true,
		Means:  "There are TLSA records, and no sender can use any of them. Senders then insist on TLS and authenticate nobody (RFC 7672, section 2.2): whoever is in between can pose as the server. Clients of other services judge the certificate as if there were no records (RFC 7673, section 4.1).",
		Shows:  "When a check finds no usable record among those of a host.",
		Clears: "When one of them can be used.",
		Do:     "Publish 3 1 1 of the key that the server presents, which tlsaroll record prints, and take the others out.",
	}, {
		Code: CodeUsagePKIX, Severity: Warn, Person: true,
		Means:  "A record has usage 0 or 1, which mean nothing for mail between servers: what a sender makes of them is not defined, and most pass over them (RFC 7672, section 3.1.3).",
		Shows:  "When a check sees one on port 25 beside records that can be used.",
		Clears: "When it is gone.",
		Do:     "Publish it with usage 3 instead of 1, and 2 instead of 0, once what is presented matches that; then take it out.",
	}, {
		Code: CodeDigestLength, Severity: Warn, Person: true,
		Means:  "A record's digest has not the length of its matching type: 32 octets for 1, 64 for 2. Senders pass over it, and so does Internet.nl's check.",
		Shows:  "When a check sees it beside records that can be used.",
		Clears: "When it is gone.",
		Do:     "Take it out; tlsaroll record prints the right one.",
	}, {
		Code: CodeRecordUnknown, Severity: Warn, Person: true,
		Means:  "A record has a usage, a selector or a matching type that nobody defined. Senders pass over it.",
		Shows:  "When a check sees it beside records that can be used.",
		Clears: "When it is gone.",
		Do:     "Take it out: its first three numbers are usage, selector and matching type, as in 3 1 1.",
	}, {
		Code: CodeFullUnreadable, Severity: Warn, Person: true,
		Means:  "A record of matching type 0 holds no certificate, or no key, that can be read. Senders pass over it.",
		Shows:  "When a check sees it beside records that can be used.",
		Clears: "When it is gone.",
		Do:     "Take it out; publish a digest instead, as in 3 1 1.",
	}, {
		Code: CodeMatchingFull, Severity: Warn, Person: true,
		Means:  "A record of matching type 0 holds a whole certificate or key. That is not recommended: the answer gets so large that it may be lost on the way (RFC 7671, section 10.1).",
		Shows:  "When a check sees it.",
		Clears: "When it is gone.",
		Do:     "Publish its SHA2-256 digest beside it, as in 3 1 1; take it out two TTLs later.",
	}, {
		Code: CodeSelectorCert, Severity: Warn, Person: true,
		Means:  "A record of usage 3 is made of the whole certificate. Each renewal changes that, even with the same key, and then the record matches nothing.",
		Shows:  "When a check sees it.",
		Clears: "When it is gone.",
		Do:     "Publish 3 1 1 of the same certificate beside it; take it out two TTLs later (RFC 7671, section 5.1).",
	}, {
		Code: CodeAnchorCert, Severity: Info,
		Means:  "A record of usage 2 is made of the CA's whole certificate. CAs issue their certificates anew, and cross-sign them, with the same key: then the record matches nothing.",
		Shows:  "When a check sees it.",
		Clears: "When it is gone.",
		Do:     "Publish 2 1 1 of the same certificate beside it; take it out two TTLs later.",
	}, {
		Code: CodeOnlySHA512, Severity: Warn, Person: true,
		Means:  "All records have SHA2-512 digests. A sender need only know SHA2-256, so these may be of no use to it (RFC 7671, section 2).",
		Shows:  "When a check sees no other digest.",
		Clears: "When there is a record with another digest for all that is presented.",
		Do:     "Publish SHA2-256 digests of the same keys, as in 3 1 1; take the others out two TTLs later.",
	}, {
		Code: CodeDigestOfPEM, Severity: Warn, Person: true,
		Means:  "A record's digest is that of a file's text in PEM, and not that of the certificate or key within it. It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish what tlsaroll record prints for the certificate, and take the record out.",
	}, {
		Code: CodeDigestOfBareKey, Severity: Warn, Person: true,
		Means:  "A record's digest is that of the bare key. Selector 1 means the key together with its algorithm and parameters, the SubjectPublicKeyInfo (RFC 6698, section 2.1.2). It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish what tlsaroll record prints for the certificate, and take the record out.",
	}, {
		Code: CodeDigestOfOtherPart, Severity: Warn, Person: true,
		Means:  "A record's digest is that of the whole certificate where its selector says key, or the other way round. It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish what tlsaroll record prints for the certificate, and take the record out.",
	}, {
		Code: CodeDigestOfNothing, Severity: Warn, Person: true,
		Means:  "A record's digest is that of no data at all, or of an empty line: the command that made it had no input. It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish what tlsaroll record prints for the certificate, and take the record out.",
	}, {
		Code: CodeUsageEEOfCA, Severity: Warn, Person: true,
		Means:  "A record of usage 3 has the digest of a CA's certificate or key. Usage 3 means the server's own; of a CA it is usage 2. It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish it with usage 2, or 3 1 1 of the server's own key, and take the record out.",
	}, {
		Code: CodeUsageTAOfLeaf, Severity: Warn, Person: true,
		Means:  "A record of usage 2 has the digest of the server's own certificate or key. Usage 2 means a CA above it; the server's own is usage 3. It matches nothing.",
		Shows:  "When a check recognises it.",
		Clears: "When the record is gone.",
		Do:     "Publish it with usage 3, and take the record out.",
	}, {
		Code: CodeSingleRecord, Severity: Info,
		Means:  "The records vouch for the certificate in use and for no other. A renewal with a new key breaks mail unless its record is published first, two TTLs at least before the server presents it (RFC 7671, section 8.1).",
		Shows:  "When a check finds neither a record of a next key nor one of the issuer.",
		Clears: "When the next key or the issuer has a record, too.",
		Do:     "Publish 3 1 1 of the next key ahead of each renewal, or renew with the same key; tlsaroll run sees to that.",
	}, {
		Code: CodeTooManyRecords, Severity: Danger, Person: true,
		Means:  "There are more than 12 records. Some large senders stop at 12 and do not deliver.",
		Shows:  "From the thirteenth record on.",
		Clears: "When there are 12 or fewer.",
		Do:     "Take out records that match nothing that is presented or comes next.",
	}, {
		Code: CodeAnswerLarge, Severity: Warn, Person: true,
		Means:  "The signed answer is larger than the 1232 octets that pass everywhere without fragments. Resolvers have to ask again over TCP, and where that is filtered the lookup fails.",
		Shows:  "When a check finds that it is so large.",
		Clears: "When the answer is smaller.",
		Do:     "Publish SHA2-256 digests, and take out records that nobody needs; see that the name servers answer over TCP.",
	}, {
		Code: CodeTTLLong, Severity: Warn, Person: true,
		Means:  "The records may be cached for more than a day, so that a mistake in them, or a key that has to go, breaks mail for that long.",
		Shows:  "From a TTL of more than a day on.",
		Clears: "With a lower TTL.",
		Do:     "Give them a TTL between half an hour and an hour.",
	}, {
		Code: CodeTTLShort, Severity: Warn, Person: true,
		Means:  "The records may be cached for less than 5 minutes. So short a TTL makes each delivery depend on the name servers, and has caused trouble with validation (RFC 6781, section 4.4.1).",
		Shows:  "Below a TTL of 5 minutes.",
		Clears: "With a higher TTL.",
		Do:     "Give them a TTL between half an hour and an hour.",
	}, {
		Code: CodeIssuerSiblings, Severity: Warn, Person: true,
		Means:  "A record names one intermediate of a CA that signs with several, without notice. The next certificate may be of another one, which no record matches.",
		Shows:  "When a check knows the CA's set and misses some of it among the records, where no next key has a record.",
		Clears: "When all of the set have a record, or none.",
		Do:     "Publish 2 1 1 of the whole set, which issuers: does, or rely on 3 1 1 of current and next key.",
	}, {
		Code: CodeIssuerRetired, Severity: Warn, Person: true,
		Means:  "A record names an intermediate that its CA no longer signs with. It will never match again.",
		Shows:  "When a check knows the intermediate, and sees it nowhere in what is presented.",
		Clears: "When the record is gone.",
		Do:     "Take it out, once another record of usage 2 matches or 3 1 1 does.",
	},
}
