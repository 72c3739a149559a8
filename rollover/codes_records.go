package rollover

// recordCodes are about what stands in an RRset, and what is presented beside it.
var recordCodes = []Explanation{
	{
		Code: CodeNoProvider, Severity: Danger, Person: true,
		Means:  "No provider of the configuration holds the zone where the records stand, and one must be published or taken out.",
		Shows:  "While there is something to change.",
		Clears: "When the records are as they should be, or a provider is configured.",
		Do:     "Write one for the zone under providers: (tlsaroll provider list shows the types), or have the records changed by those who run the zone.",
	}, {
		Code: CodeNotInCopy, Severity: Warn,
		Means:  "The provider's own copy of the zone lacks a record that the servers have: an old zone was restored, or someone took it out.",
		Shows:  "When a successor is ready and the copy is read before the swap.",
		Clears: "When the record is in the copy again.",
		Do:     "Nothing: it is published again, and the wait starts again.",
	}, {
		Code: CodeCopyUnknown, Severity: Warn,
		Means:  "The provider's own copy of the RRset could not be read. Nothing is changed or swapped without it.",
		Shows:  "When something must be changed or swapped and the copy could not be read.",
		Clears: "When it can be read, or need not be.",
		Do:     "Look at the error, at the provider's credentials and at its service; tlsaroll provider test NAME tries them.",
	}, {
		Code: CodeUpdateFailed, Severity: Danger,
		Means:  "The last change of the RRset did not succeed; it is tried again.",
		Shows:  "From the pass after it on, while the change is still needed.",
		Clears: "When a change succeeds, or none is needed.",
		Do:     "Look at the error: it says what the provider refused. tlsaroll provider test NAME tries the provider at another name.",
	}, {
		Code: CodeAddByHand, Severity: Warn, Person: true,
		Means:  "Records have to be added by hand, as the provider is a person. The next certificate waits for them.",
		Shows:  "From the pass after the one in which the person was told, until the primary has the records.",
		Clears: "When the primary has them, or nobody wants them any more.",
		Do:     "Add the lines of the notice, which tlsaroll status shows too, to the zone; leave all other records at the name as they are.",
	}, {
		Code: CodeChangeByHand, Severity: Info,
		Means:  "Records have to be taken out by hand, or to be given another TTL, as the provider is a person. Nothing waits for that.",
		Shows:  "From the pass after the one in which the person was told, until the primary has it so.",
		Clears: "When the primary has it so, or nobody wants it any more.",
		Do:     "Make the change of the notice, which tlsaroll status shows too, when it suits you; leave all other records at the name as they are.",
	}, {
		Code: CodeEndpointUnseen, Severity: Warn,
		Means:  "An address of an endpoint does not answer, or was not seen often enough since. Nothing is retired, and no new combination comes in, on a guess.",
		Shows:  "When it gave no answer in three looks and for more than a minute; as a reason to wait, at once.",
		Clears: "When it answers in full again, or when DNS no longer shows the address and no cache does.",
		Do:     "See whether the server runs and answers at the address; if the address is gone for good, take it out of DNS.",
	}, {
		Code: CodeNoTLS, Severity: Danger,
		Means:  "An address answers and offers no working TLS. Senders that enforce DANE cannot deliver to it where TLSA records stand, and none must be published for it.",
		Shows:  "When it was so in three looks and for more than a minute; as a reason to wait, at once.",
		Clears: "When a handshake succeeds, or when DNS no longer shows the address.",
		Do:     "Switch STARTTLS on for everyone at that address, with a certificate and key that the server can read; or take the address out of DNS.",
	}, {
		Code: CodeCombinationHeld, Severity: Info,
		Means:  "A chain that is or was presented, or comes next, would not match a combination that is wanted, so the combination waits.",
		Shows:  "While the combination is wanted and not in the RRset.",
		Clears: "When every chain that is left matches it.",
		Do:     "Nothing, if the chain leaves with the rollover. Else let the server present a chain that matches, with and without SNI.",
	}, {
		Code: CodeForeignCombo, Severity: Danger, Person: true,
		Means:  "A record that is not ours is of a combination that the successor cannot match, or stays after a withdrawal, or would stay alone then and not match what is presented. As long as it stands, clients look at it, and refuse a certificate that it does not match.",
		Shows:  "While a successor waits, or a withdrawal.",
		Clears: "When the record is gone, or ours.",
		Do:     "Take it out, or make it ours: tlsaroll adopt LINEAGE --record \"3 1 1 ab…\", with the record's own data.",
	}, {
		Code: CodeStillNeeded, Severity: Info,
		Means:  "A record is not taken out: without it a chain would lose its match, or nothing would be left.",
		Shows:  "While a record of ours stands that no lineage asks for.",
		Clears: "When nothing needs the record.",
		Do:     "Nothing; tlsaroll withdraw LINEAGE takes the last ones out.",
	}, {
		Code: CodeRetireWindow, Severity: Info,
		Means:  "A chain is presented still, or was lately, and its records stay for a while, so that going back is free.",
		Shows:  "After a swap.",
		Clears: "When the chain was not presented for the time of retire:.",
		Do:     "Nothing: wait; if an address is named that should have the new chain by now, give it that.",
	}, {
		Code: CodeIssuerList, Severity: Info,
		Means:  "The lineage publishes the 2 1 1 of a known set of issuers ahead, and this is the day of which tlsaroll's list of them is.",
		Shows:  "While issuers: names the set and the scheme has ta.",
		Clears: "When it does not, or when the list is so old that issuer-list-old is told instead.",
		Do:     "Nothing. If it says that the live certificate's issuer is not among them, the CA may have changed its intermediates: update tlsaroll.",
	}, {
		Code: CodeIssuerListOld, Severity: Warn,
		Means:  "The list of a known set of issuers is more than a year old, and CAs change their intermediates every year or two. A certificate of an issuer that it lacks is no danger: its own record is published and waited for.",
		Shows:  "When the list is older than a year, while issuers: names it and the scheme has ta.",
		Clears: "With a tlsaroll that has a newer list, or when issuers: does not name it.",
		Do:     "Update tlsaroll, or name a file with the CA certificates that are in use instead.",
	}, {
		Code: CodeRRsetLarge, Severity: Warn,
		Means:  "The RRset is large. Some senders stop at 12 records, and large answers do not pass everywhere.",
		Shows:  "From 10 records on.",
		Clears: "When it has fewer.",
		Do:     "Take out records that nobody needs.",
	}, {
		Code: CodeRRsetFull, Severity: Danger, Person: true,
		Means:  "The RRset has no room for a record that is needed.",
		Shows:  "When a record would be the thirteenth, or would make the answer too large.",
		Clears: "When there is room.",
		Do:     "Take out records that nobody needs; of ours, those are out already.",
	}, {
		Code: CodeWithdrawing, Severity: Info,
		Means:  "The lineage's records are being taken out, or are out and caches may hold them still. Until that is over the server must keep its certificate.",
		Shows:  "From withdraw on.",
		Clears: "When no cache can hold a record of the lineage any more; or with its next rollover.",
		Do:     "Nothing: wait until it is over, and leave the certificate alone.",
	}, {
		Code: CodeWithdrawn, Severity: Info,
		Means:  "The lineage's records are withdrawn, and no cache can hold one any more: DANE is off, and the server may have any certificate.",
		Shows:  "When the last cached answer has expired.",
		Clears: "With the lineage's next rollover.",
		Do:     "Nothing; tlsaroll rollover LINEAGE publishes again.",
	}, {
		Code: CodeRepair, Severity: Warn,
		Means:  "A record of ours that someone took out was put back, or one was added as the RRset failed a chain that is presented.",
		Shows:  "When the record is published.",
		Clears: "When no answer without it can be held any more, or the record is no longer ours.",
		Do:     "Find out who took the record out (another program that writes the zone?), or which files the server reads.",
	},
}
