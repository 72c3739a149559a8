package rollover

// swapCodes are about what is live, and what goes first.
var swapCodes = []Explanation{
	{
		Code: CodeFrozen, Severity: Warn, Person: true,
		Means:  "Somebody froze the lineage: nothing is swapped or retired; publishing and repair go on.",
		Shows:  "While it is frozen.",
		Clears: "With thaw, or at the end of the freeze.",
		Do:     "tlsaroll thaw LINEAGE.",
	}, {
		Code: CodeQueued, Severity: Info,
		Means:  "A newer pair waits behind the successor, whose records are published already, so that it goes first. Where the RRset is full, the newer pair's record waits, too.",
		Shows:  "While there are two pairs on their way.",
		Clears: "When the successor is live, or gives its place.",
		Do:     "Nothing: it follows.",
	}, {
		Code: CodeSiblingFirst, Severity: Info,
		Means:  "Another lineage at the same endpoint goes first: one thing changes at a time, and room in the RRset is limited.",
		Shows:  "While the other one is swapped, or its records take the room.",
		Clears: "When it is done.",
		Do:     "Nothing: it follows.",
	}, {
		Code: CodeSettling, Severity: Info,
		Means:  "The new pair is installed, and this host has not been seen to present it at every address.",
		Shows:  "From the swap on.",
		Clears: "When every address of this host presents it, or the swap is undone.",
		Do:     "Nothing: wait for the end of settle:.",
	}, {
		Code: CodeSwapFailed, Severity: Danger, Person: true,
		Means:  "The last swap to the successor failed and was undone. It is tried again after an hour, six hours, then daily.",
		Shows:  "From the failure to the next try.",
		Clears: "When a swap succeeds, or another pair is the successor.",
		Do:     "Find out why the service did not take the pair: tlsaroll history LINEAGE and the service's log say what failed. Then tlsaroll rollover LINEAGE tries at once.",
	}, {
		Code: CodeBackBlocked, Severity: Danger, Person: true,
		Means:  "A swap failed, and going back would break more: answers that only match the new pair may be in caches, or there is no previous pair.",
		Shows:  "When a swap failed, or was interrupted, and the way back is closed.",
		Clears: "When every address of this host presents the new pair, or the way back is open.",
		Do:     "Repair the service so that it presents the new pair, then run tlsaroll rollover LINEAGE.",
	}, {
		Code: CodeServedUnmatched, Severity: Danger,
		Means:  "An address presents a chain that no published record matches. Senders that enforce DANE cannot deliver.",
		Shows:  "When a look sees it.",
		Clears: "When a record matches it on every server, or the address presents another chain.",
		Do:     "Let the server read STATE/live/LINEAGE or what install: writes, and reload it; tlsaroll check names each address and what it presents.",
	}, {
		Code: CodeComboUnmatched, Severity: Warn,
		Means:  "An address presents a chain that some records match, and none of another combination that stands beside them. Senders that know that combination alone cannot deliver; the others do.",
		Shows:  "When a look sees it.",
		Clears: "When a record of each combination matches it on every server, or the address presents another chain.",
		Do:     "Publish a record of that combination that matches, or take the others of it out.",
	}, {
		Code: CodeServerReadsStaged, Severity: Danger,
		Means:  "An address presented the successor before its swap: the server reads the files of the ACME client, past every wait.",
		Shows:  "When a look sees it.",
		Clears: "With the swap, or when the address presents the live pair.",
		Do:     "Point the server at STATE/live/LINEAGE, or at an install: path; the warning names the line for Postfix or Dovecot. Then reload it.",
	}, {
		Code: CodeEmergency, Severity: Warn,
		Means:  "An emergency was declared for the lineage: any match is enough to swap, and old records leave as soon as nobody presents what needs them.",
		Shows:  "From rollover --emergency on.",
		Clears: "When the lineage is steady.",
		Do:     "Nothing: it ends by itself.",
	},
}
