package rollover

// pairCodes are about certificates and keys.
var pairCodes = []Explanation{
	{
		Code: CodeNotAdopted, Severity: Danger, Person: true,
		Means:  "The lineage has no live pair yet, and what is served could not be taken over by itself: the install files hold another pair, none, or cannot be read.",
		Shows:  "When the endpoints were looked at and present something else than the install files hold.",
		Clears: "With adopt, or when the install files hold the pair that is served.",
		Do:     "Run tlsaroll adopt LINEAGE with --cert and --key of the pair that the server presents now.",
	}, {
		Code: CodeAdopting, Severity: Info,
		Means:  "The lineage has no live pair yet: what is served and published is being looked at, or taken over.",
		Shows:  "In the first passes of a lineage.",
		Clears: "When everything was looked at once.",
		Do:     "Nothing: the next looks end it.",
	}, {
		Code: CodeLiveUnreadable, Severity: Danger,
		Means:  "The link in STATE/live, or the entry of the stash that it leads to, cannot be read. Nothing is swapped until it can.",
		Shows:  "When a poll cannot read it.",
		Clears: "When a poll can read it.",
		Do:     "Look at the permissions of the state directory, and at the link.",
	}, {
		Code: CodeStagedUnreadable, Severity: Warn,
		Means:  "The staged files could not be taken: key and certificate do not fit, a file is missing or unreadable.",
		Shows:  "When a poll finds them so, unless they changed a moment before.",
		Clears: "When a poll can take them.",
		Do:     "Look at the files that the ACME client writes; tlsaroll check says what is wrong with them. They are read again at every poll.",
	}, {
		Code: CodeStagedOlder, Severity: Info,
		Means:  "The staged certificate was issued before the one that is live or on its way, so it is not taken. That is normal after another pair was handed in.",
		Shows:  "While the staged files hold it and no successor is on its way.",
		Clears: "When the staged files hold a newer certificate.",
		Do:     "Nothing, or tlsaroll rollover LINEAGE --cert FILE --key FILE to take it all the same.",
	}, {
		Code: CodePairUnfit, Severity: Danger, Person: true,
		Means:  "The pair cannot match a record that the scheme asks for: most often the chain lacks the CA certificate of 2 1 1.",
		Shows:  "When it is handed in; if it lies in the staged files, as long as it does and no successor is on its way.",
		Clears: "With another pair in the staged files, or another scheme.",
		Do:     "Hand in the full chain, leaf first: tlsaroll rollover LINEAGE --cert FILE --key FILE; or set another scheme:.",
	}, {
		Code: CodeStashUnreadable, Severity: Danger, Person: true,
		Means:  "The successor's copy in the stash is missing, or does not load, or key and leaf do not fit.",
		Shows:  "While it is the successor.",
		Clears: "When it loads again, or another pair is the successor.",
		Do:     "Hand the pair in again: tlsaroll rollover LINEAGE --cert FILE --key FILE.",
	}, {
		Code: CodeNotYetValid, Severity: Info,
		Means:  "The successor begins only later.",
		Shows:  "While it is the successor.",
		Clears: "When it begins.",
		Do:     "Nothing: it is swapped in when it begins. If it should be valid already, look at the clock.",
	}, {
		Code: CodeExpired, Severity: Danger, Person: true,
		Means:  "A certificate has ended: the live one while no successor is there, the successor before it could be swapped in, or one that was handed in.",
		Shows:  "From its end on.",
		Clears: "When a successor that is in date is there.",
		Do:     "Have the ACME client issue a new one, or hand one in: tlsaroll rollover LINEAGE --cert FILE --key FILE. tlsaroll history LINEAGE says what kept the last one.",
	}, {
		Code: CodeExpiresSoon, Severity: Warn,
		Means:  "The live certificate ends soon, and no successor is there: the ACME client should have renewed it by now. A check tells it of what is presented.",
		Shows:  "From when a sixth of its lifetime is left, but no more than 7 days.",
		Clears: "When a successor is there.",
		Do:     "Look at the ACME client's log and timer, and whether it writes to the files that staged: names.",
	}, {
		Code: CodeOrderFailed, Severity: Warn,
		Means:  "A certificate is to be ordered, and the orders fail. The order is tried again after a minute, then after longer and longer, at least daily; if the CA limits the rate, no sooner than it says. A restart changes nothing about that.",
		Shows:  "When an order fails: as an error where no certificate is live, or less than a sixth of its lifetime is left.",
		Clears: "When an order succeeds, or another pair comes.",
		Do:     "Remove the cause that the warning names. Then tlsaroll rollover LINEAGE tries at once.",
	}, {
		Code: CodeKeyCompromised, Severity: Danger, Person: true,
		Means:  "The pair has a key that was declared compromised with rollover --emergency. No certificate of it is taken any more.",
		Shows:  "When it is handed in; if it lies in the staged files, as long as it does and no successor is on its way.",
		Clears: "With a pair of another key.",
		Do:     "Make a new key and have a certificate issued for it. If the ACME client keeps its key, have it make a new one each time.",
	}, {
		Code: CodeReplay, Severity: Info,
		Means:  "Answers with the record of a compromised key were signed, and DNSSEC cannot take a signature back: until it ends, whoever is between a sender and its resolver or name servers and has the key can replay such an answer and pose as the server (RFC 7671, section 13).",
		Shows:  "From rollover --emergency on.",
		Clears: "At the end of the last signature that was seen over the record.",
		Do:     "Nothing helps but time. Signatures with a shorter life make it shorter the next time.",
	}, {
		Code: CodeNameMissing, Severity: Danger, Person: true,
		Means:  "A record of usage DANE-TA stands or is asked for, which makes clients look at names, and the certificate is not for one of the endpoints'.",
		Shows:  "When it is handed in, and while it is the successor; when a check sees it presented where no other record matches.",
		Clears: "With another pair, or when no such record stands or is asked for.",
		Do:     "Have it issued for that name too, or set scheme: ee.",
	}, {
		Code: CodeExpiresInWait, Severity: Danger,
		Means:  "The live certificate, or the successor itself, ends before every cache can have the successor's records. A successor that does can never go live.",
		Shows:  "As soon as the conflict can be computed, while the successor waits.",
		Clears: "With the swap, or when the wait gets shorter than what is left.",
		Do:     "Lower the TTL before the next rollover (tlsaroll rollover LINEAGE --ttl 30m), renew earlier, or choose what happens with deadline: wait or deadline: swap in the lineage. If certificates last no longer than the wait, lower the TTL and keep the key until answers with the old TTL are gone.",
	}, {
		Code: CodeDeadline, Severity: Danger,
		Means:  "The live certificate was about to end, so the successor was swapped in before every cache was fresh.",
		Shows:  "From the swap on.",
		Clears: "When this host was seen to serve the new certificate; cached-mismatch stays while answers that do not match it may be held.",
		Do:     "Nothing now: senders that held an old answer deliver when it expires. Renew earlier, or lower the TTL.",
	},
}
