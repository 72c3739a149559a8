package rollover

// serverCodes are about authoritative servers, zones and caches.
var serverCodes = []Explanation{
	{
		Code: CodeServersUnknown, Severity: Warn,
		Means:  "Which servers are authoritative could not be found out, or none of them can be asked from here. Every answer that may still be held counts as given.",
		Shows:  "When it was not known for more than a minute; as a reason to wait, at once.",
		Clears: "When a look finds them again.",
		Do:     "Look at the delegation, at the resolver, and at this host's way to the servers.",
	}, {
		Code: CodeServerUnknown, Severity: Warn,
		Means:  "An authoritative address gives no answer. It counts as giving every answer that may still be held.",
		Shows:  "When it was silent for more than a minute; as a reason to wait, at once.",
		Clears: "When it answers again, or when the NS records no longer name it.",
		Do:     "Repair the server, or take it out of the NS records; if it is gone for good, name it under exclude: of its zone in the configuration.",
	}, {
		Code: CodeServerUnlisted, Severity: Info,
		Means:  "The NS records of parent and child no longer name a server. Caches may ask it for a while yet, so it is looked at, and its answers count.",
		Shows:  "From the first look that no longer finds it named.",
		Clears: "When no cache can hold the NS record any more, or it is named again.",
		Do:     "Nothing; leave the server running until then, with the same zone.",
	}, {
		Code: CodeNotEverywhere, Severity: Warn,
		Means:  "An authoritative address does not give the records that the others or the provider's own copy have; or it was not seen often enough with those of the successor.",
		Shows:  "When it differs for more than 15 minutes; as a reason to wait, at once.",
		Clears: "When its answer is that of the others.",
		Do:     "Wait for the zone transfer; if it does not come, look at the secondary.",
	}, {
		Code: CodeFamilyUntested, Severity: Info,
		Means:  "This host has no route to an address family, so a server's address cannot be asked; other addresses of the same name speak for it.",
		Shows:  "From the first look on.",
		Clears: "When the address can be asked, or is excluded.",
		Do:     "Nothing, unless no other address of that server can be asked: then give this host a route, or exclude the address.",
	}, {
		Code: CodeSignatureEnds, Severity: Warn,
		Means:  "A signature of the RRset ends soon. Within an hour of its end it carries no swap.",
		Shows:  "When it ends within three TTLs, in a check also within two days, or a third of its life; as a reason to wait, within an hour.",
		Clears: "When the server gives a fresh signature.",
		Do:     "Look at the zone's signer, and whether the server gets the signed zone.",
	}, {
		Code: CodeUnsigned, Severity: Danger,
		Means:  "A server gives the RRset without a signature, in a zone that is secure: validating resolvers refuse its answers.",
		Shows:  "When it first answers without one.",
		Clears: "When it answers with one again.",
		Do:     "See whether that server gets the signed zone.",
	}, {
		Code: CodeZoneInsecure, Severity: Danger, Person: true,
		Means:  "The zone is not signed, or its parent has no DS record. TLSA records mean nothing there.",
		Shows:  "When records stand there and it was so for more than a minute; as a reason to wait, at once.",
		Clears: "When a validating resolver says secure.",
		Do:     "Sign the zone and have its DS record put into the parent; allow-insecure: true for the zone, under zones:, publishes all the same.",
	}, {
		Code: CodeZoneBogus, Severity: Danger,
		Means:  "A validating resolver refuses the answer. Senders that enforce DANE do not deliver.",
		Shows:  "When it was so for more than a minute; as a reason to wait, at once.",
		Clears: "When a validating resolver says secure.",
		Do:     "Repair the zone's signatures, or the DS record in its parent; nothing is published or swapped until then.",
	}, {
		Code: CodeZoneIndeterminate, Severity: Warn,
		Means:  "Whether the answer validates could not be found out: the resolver does not validate, cannot be trusted or cannot be reached.",
		Shows:  "When it was so for more than a minute; as a reason to wait, at once.",
		Clears: "When a look can tell again.",
		Do:     "Look at the resolver; set resolver: to a validating one on this host, such as unbound at 127.0.0.1:53.",
	}, {
		Code: CodeVersionAlive, Severity: Info,
		Means:  "An answer that does not vouch for the successor may be in some cache, or is given still. This is the wait itself.",
		Shows:  "While a successor waits.",
		Clears: "When the last such answer has expired everywhere.",
		Do:     "Nothing: wait until it is gone. A lower TTL makes the next wait shorter; known-ttl does that to the wait for what stood before the first look, if you know that its TTL was never so long.",
	}, {
		Code: CodeDark, Severity: Info,
		Means:  "No authoritative server could be seen for a while. Resolvers that serve stale answers may hold old ones a TTL longer.",
		Shows:  "While a successor waits for nothing else.",
		Clears: "A TTL after the servers were seen again.",
		Do:     "Nothing: wait.",
	}, {
		Code: CodeUnlistedOwner, Severity: Danger, Person: true,
		Means:  "Another owner name of the certificate's names has records that vouch for the live certificate and not for the successor.",
		Shows:  "While a successor waits.",
		Clears: "When no such answer can be held any more, or the name is listed or ignored.",
		Do:     "List it as an endpoint of the lineage, or name it under ignore: if it may fail.",
	}, {
		Code: CodeUnlistedUnknown, Severity: Warn,
		Means:  "Whether another owner name of the certificate's names has TLSA records could not be found out.",
		Shows:  "As a reason to wait, at once; as a warning, when it keeps a successor that has been ready for 15 minutes.",
		Clears: "When a look can tell again, or when the name is listed or ignored.",
		Do:     "Look at the servers of that name; list it as an endpoint of the lineage, or name it, or its host, under ignore: if it may fail.",
	}, {
		Code: CodeCachedMismatch, Severity: Danger,
		Means:  "An answer that does not match the live certificate may be in some cache: someone changed the records, or a swap could not wait.",
		Shows:  "When no server gives the answer any more and its end can be told.",
		Clears: "When it has expired everywhere.",
		Do:     "Nothing can be done about a cache: senders that hold it deliver when it expires.",
	},
}
