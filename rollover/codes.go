package rollover

import (
	"slices"
	"strings"
)

// An Explanation says what a code means and what to do about it.
type Explanation struct {
	Code  Code
	Means string
	Do    string
	// Person is set where the condition stays until somebody does something.
	Person bool
}

// Explain gives the code's entry in [Codes].
func (c Code) Explain() (e Explanation, ok bool) {
	all := Codes()
	i := slices.IndexFunc(all, func(e Explanation) bool { return e.Code == c })
	if i < 0 {
		return e, false
	}
	return all[i], true
}

// NeedsPerson reports whether a condition stays until somebody does something:
// waiting longer will not meet it.
func (c Code) NeedsPerson() bool {
	e, ok := c.Explain()
	return ok && e.Person
}

// Codes explains all reasons and warnings of the rules, sorted by code.
func Codes() []Explanation {
	all := slices.Concat(pairCodes(), dnsCodes(), recordCodes(), swapCodes())
	slices.SortFunc(all, func(a, b Explanation) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

// pairCodes are about certificates and keys.
func pairCodes() []Explanation {
	return []Explanation{
		{CodeNotAdopted, "The lineage has no live pair yet, and what is served could not be taken over by itself: the install files hold another pair, none, or cannot be read.",
			"Run tlsaroll adopt LINEAGE with --cert and --key of the pair that the server presents now.", true},
		{CodeAdopting, "The lineage has no live pair yet: what is served and published is being looked at, or taken over.", "Nothing: it is over with the next looks.", false},
		{CodeLiveUnreadable, "The link in STATE/live, or the entry of the stash that it leads to, cannot be read. Nothing is swapped until it can.",
			"Look at the permissions of the state directory, and at the link.", false},
		{CodeStagedUnreadable, "The staged files could not be taken: key and certificate do not fit, a file is missing, unreadable or still being written.",
			"Look at the files that the ACME client writes; they are read again at every poll.", false},
		{CodeStagedOlder, "The staged certificate was issued before the one that is live or on its way, so it is not taken. That is normal after another pair was handed in.",
			"Nothing, or tlsaroll rollover LINEAGE --cert FILE --key FILE to take it all the same.", false},
		{CodePairUnfit, "The pair cannot match a record that the scheme asks for: most often the chain lacks the CA certificate of 2 1 1.",
			"Hand in the full chain, leaf first; or set another scheme.", true},
		{CodeStashUnreadable, "The successor's copy in the stash is missing, or does not load, or key and leaf do not fit.",
			"Hand the pair in again: tlsaroll rollover LINEAGE --cert FILE --key FILE.", true},
		{CodeNotYetValid, "The successor begins only later.", "Nothing: it is swapped in when it begins. If it should be valid already, look at the clock.", false},
		{CodeExpired, "The certificate that was handed in, or the successor, has ended.", "Issue a new one.", true},
		{CodeNameMissing, "A record of usage DANE-TA stands or is asked for, which makes clients look at names, and the certificate is not for one of the endpoints'.",
			"Have it issued for that name too, or set scheme: ee.", true},
		{CodeExpiresInWait, "The live certificate ends before every cache can have the successor's records.",
			"Lower the TTL before the next rollover (rollover --ttl), renew earlier, or choose what happens with deadline: wait or swap.", false},
		{CodeDeadline, "The live certificate was about to end, so the successor was swapped in before every cache was fresh.",
			"Nothing now: senders that held an old answer deliver when it expires. Renew earlier, or lower the TTL.", false},
	}
}

// dnsCodes are about servers and zones.
func dnsCodes() []Explanation {
	return []Explanation{
		{CodeServersUnknown, "Which servers are authoritative could not be found out, or none of them can be asked from here.",
			"Look at the delegation and at this host's way to the servers.", false},
		{CodeServerUnknown, "An authoritative address gives no answer. It counts as giving every answer that may still be held.",
			"Mend the server, take it out of the NS records, or exclude: it in the configuration if it is gone for good.", false},
		{CodeNotEverywhere, "An authoritative address does not have the record yet, or was not seen often enough with it.",
			"Wait for the zone transfer; if it does not come, look at the secondary.", false},
		{CodeFamilyUntested, "This host has no route to an address family, so a server's address cannot be asked; other addresses of the same name speak for it.",
			"Nothing, unless no other address of that server can be asked: then give this host a route, or exclude the address.", false},
		{CodeSignatureEnds, "A signature of the RRset ends soon. Within an hour of its end it carries no swap.", "Look at the zone's signer.", false},
		{CodeUnsigned, "A server gives the RRset without a signature, in a zone that is secure.", "Look at that server: validating resolvers refuse its answers.", false},
		{CodeZoneInsecure, "The zone is not signed, or its parent has no DS record. TLSA records mean nothing there.",
			"Sign the zone and have its DS record put into the parent; allow-insecure publishes all the same.", true},
		{CodeZoneBogus, "A validating resolver refuses the answer. Senders that enforce DANE do not deliver.", "Mend the zone's signatures; nothing is swapped until then.", false},
		{CodeZoneIndeterminate, "Whether the answer validates could not be found out: the resolver does not validate, cannot be trusted or cannot be reached.",
			"Set resolver: to a validating resolver on this host.", false},
		{CodeVersionAlive, "An answer that does not vouch for the successor may be in some cache, or is given still.", "Nothing: wait until it is gone. A lower TTL makes the next wait shorter.", false},
		{CodeDark, "No authoritative server could be seen for a while. Resolvers that serve stale answers may hold old ones a TTL longer.", "Nothing: wait.", false},
		{CodeUnlistedOwner, "Another owner name of the certificate's names has records that vouch for the live certificate and not for the successor, or it could not be looked up.",
			"List it as an endpoint of the lineage, or name it under ignore: if it may fail.", true},
		{CodeCachedMismatch, "An answer that does not match the live certificate may be in some cache: someone changed the records, or a swap could not wait.",
			"Nothing mends a cache: senders that hold it deliver when it expires.", false},
	}
}

// recordCodes are about what stands in an RRset.
func recordCodes() []Explanation {
	return []Explanation{
		{CodeNoProvider, "No provider of the configuration holds the zone where the records stand.", "Configure one, or have the records published by whoever holds it.", true},
		{CodeNotInCopy, "The provider's own copy of the zone lacks a record that the servers have: an old zone was restored, or someone took it out.", "Nothing: it is published again.", false},
		{CodeCopyUnknown, "The provider's own copy of the RRset could not be read. Nothing is changed or swapped without it.", "Look at the provider's credentials and at its service.", false},
		{CodeUpdateFailed, "The last change of the RRset did not succeed; it is tried again.", "Look at the error; tlsaroll provider test NAME says what the provider can do.", false},
		{CodeEndpointUnseen, "An address of an endpoint was not seen often enough since. Nothing is retired, and no new combination comes in, on a guess.",
			"Look whether the address answers; take it out of DNS if it is gone.", false},
		{CodeNoTLS, "An address offers no working TLS. TLSA records must not be published for it.", "Mend the service, or take the address out of DNS.", false},
		{CodeCombinationHeld, "A chain that is or was presented, or comes next, would not match a combination that is wanted, so the combination waits.",
			"Nothing, if the chain leaves with the rollover. Else let the server present a chain that matches, with and without SNI.", false},
		{CodeForeignCombo, "A record that is not ours is of a combination that the successor cannot match. As long as it stands, clients that look at that combination refuse the successor.",
			"Take it out, or make it ours with tlsaroll adopt LINEAGE --record.", true},
		{CodeStillNeeded, "A record is not taken out: without it a chain would lose its match, or nothing would be left.", "Nothing; tlsaroll withdraw LINEAGE takes the last ones out.", false},
		{CodeRetireWindow, "A chain was presented lately, and its records stay for a while, so that going back is free.", "Nothing: wait.", false},
		{CodeRRsetLarge, "The RRset is large. Some senders stop at 12 records, and large answers do not pass everywhere.", "Take out records that nobody needs.", false},
		{CodeRRsetFull, "The RRset has no room for a record that is needed.", "Take out records that nobody needs; what is ours has left already.", true},
		{CodeRepair, "The RRset failed a chain of ours that is presented, so a record that matches it was published at once.", "Find out who took the record out, or which files the server reads.", false},
	}
}

// swapCodes are about what is live.
func swapCodes() []Explanation {
	return []Explanation{
		{CodeFrozen, "Somebody froze the lineage: nothing is swapped or retired; publishing and repair go on.", "tlsaroll thaw LINEAGE.", true},
		{CodeQueued, "A newer pair waits behind the successor, which keeps its place.", "Nothing: it follows.", false},
		{CodeSiblingFirst, "Another lineage at the same endpoint goes first: one thing changes at a time, and room in the RRset is limited.", "Nothing: it follows.", false},
		{CodeSettling, "The new pair is installed, and this host has not been seen to present it at every address.", "Nothing: wait for the end of settle.", false},
		{CodeSwapFailed, "The last swap to the successor failed and was undone. It is tried again after an hour, six hours, then daily.",
			"Look why the service did not take the pair; tlsaroll rollover LINEAGE tries at once.", true},
		{CodeBackBlocked, "A swap failed, and going back would break more: answers that only match the new pair may be in caches, or there is no previous pair.",
			"Mend the service so that it presents the new pair, then tlsaroll rollover LINEAGE.", true},
		{CodeServedUnmatched, "An address presents a chain that no published record matches. Senders that enforce DANE cannot deliver.",
			"Look which files the server reads, and whether it was reloaded.", false},
		{CodeServerReadsStaged, "An address presented the successor before its swap: the server reads the files of the ACME client, past every wait.",
			"Point the server at STATE/live/LINEAGE, or at an install: path.", false},
		{CodeWithdrawing, "The lineage's records are being taken out, or are out and caches may hold them still. Until that is over the server must keep its certificate.",
			"Nothing: wait until it is over, and leave the certificate alone.", false},
		{CodeWithdrawn, "The lineage's records are withdrawn, and no cache can hold one any more: DANE is off, and the server may have any certificate.",
			"Nothing; tlsaroll rollover LINEAGE publishes again.", false},
		{CodeEmergency, "An emergency was declared for the lineage: any match is enough to swap, and old records leave as soon as nobody presents what needs them.",
			"Nothing: it ends when the lineage is steady.", false},
	}
}
