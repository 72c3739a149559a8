package rollover

// auditNameCodes are about where a domain's mail goes, and whether DANE applies there.
var auditNameCodes = []Explanation{
	{
		Code: CodeMXInsecure, Severity: Warn, Person: true,
		Means:  "The host has TLSA records, and the answer that names it as MX host is not signed. Whoever is in between can name another one, so that senders may leave DANE out (RFC 7672, section 2.2.1).",
		Shows:  "When a check sees it.",
		Clears: "When the domain's zone is signed and its DS record stands.",
		Do:     "Sign the domain's zone and have its DS record put into the parent.",
	}, {
		Code: CodeMXAlias, Severity: Warn, Person: true,
		Means:  "An MX host is an alias, which it must not be (RFC 2181, section 10.3; RFC 5321, section 5.1). Some senders refuse it, and those that do not look for TLSA records at its end first, then at its own name (RFC 7672, section 2.2.2).",
		Shows:  "When a check sees it.",
		Clears: "When the MX record names a host that has addresses.",
		Do:     "Name the host itself in the MX record; until then keep TLSA records at both names, with the same data.",
	}, {
		Code: CodeMXNoHost, Severity: Warn, Person: true,
		Means:  "An MX record names what is no host: an address, or no name that can be looked up. Senders pass over it.",
		Shows:  "When a check sees it beside MX records that lead somewhere.",
		Clears: "When it is gone.",
		Do:     "Give the address a name with an A or AAAA record, and name that in the MX record.",
	}, {
		Code: CodeMXNoAddress, Severity: Warn, Person: true,
		Means:  "An MX host has no address. Senders pass over it.",
		Shows:  "When a check sees it beside MX records that lead somewhere.",
		Clears: "When it has an address, or no MX record names it.",
		Do:     "Give it an A or AAAA record, or take the MX record out.",
	}, {
		Code: CodeMXNone, Severity: Danger, Person: true,
		Means:  "Mail to the domain has nowhere to go: no MX record leads to an address, or there is none and the domain itself has no address. Senders return it to its author.",
		Shows:  "When a check sees it.",
		Clears: "When an MX record leads to a host with an address; or with a null MX, which says that the domain takes no mail.",
		Do:     "Publish an MX record that names a host with an address; if the domain takes no mail, MX 0 with a dot for the host (RFC 7505).",
	}, {
		Code: CodeNullMXOthers, Severity: Warn, Person: true,
		Means:  "A null MX, which says that the domain takes no mail, stands beside other MX records. It must stand alone (RFC 7505, section 3), and what senders make of it is not defined.",
		Shows:  "When a check sees it.",
		Clears: "When either is gone.",
		Do:     "Take the null MX out if the domain takes mail, else all others.",
	}, {
		Code: CodeImplicitMX, Severity: Info,
		Means:  "The domain has no MX record, so mail goes to its own address (RFC 5321, section 5.1), where DANE holds too. Some checks do not test such a domain.",
		Shows:  "When a check sees it.",
		Clears: "When the domain has an MX record.",
		Do:     "Publish an MX record that names the host; if the domain takes no mail, MX 0 with a dot for the host (RFC 7505).",
	}, {
		Code: CodeWrongOwner, Severity: Warn, Person: true,
		Means:  "There are TLSA records for port 25 below the mail domain, which is not its own MX host. Senders look below the name of the MX host (RFC 7672, section 2.2.3), so that nobody ever sees them.",
		Shows:  "When a check sees it.",
		Clears: "When they are gone.",
		Do:     "Publish them at _25._tcp below the name of each MX host, and take these out.",
	}, {
		Code: CodeRecordsInsecure, Severity: Warn, Person: true,
		Means:  "There are TLSA records, and they are not signed for anyone: their zone has no signatures, or no DS record in its parent. Senders pass over them, and DANE is off.",
		Shows:  "When a check sees it.",
		Clears: "When a validating resolver says secure.",
		Do:     "Sign the zone and have its DS record put into the parent; see first that the records match what is presented, as they count from then on.",
	}, {
		Code: CodeAddressInsecure, Severity: Warn, Person: true,
		Means:  "The host has TLSA records, and its addresses are not signed for anyone. Senders then do not look for the records (RFC 7672, section 2.2.2), and DANE is off.",
		Shows:  "When a check sees it.",
		Clears: "When a validating resolver says secure of the A and AAAA records.",
		Do:     "Sign the zone that holds the addresses and have its DS record put into the parent.",
	}, {
		Code: CodeAliasInsecure, Severity: Warn, Person: true,
		Means:  "The host is an alias, and a step on the way to its addresses is not signed. Senders then do not look for TLSA records at its end, and at its own name only where that is signed (RFC 7672, section 2.2.2).",
		Shows:  "When a check sees it.",
		Clears: "When all aliases and the addresses are signed, or the host is no alias.",
		Do:     "Name a host in a signed zone in the MX record, and publish TLSA records there.",
	}, {
		Code: CodeBaseUnmatched, Severity: Warn, Person: true,
		Means:  "The host is an alias with TLSA records at two names, and those that senders look at second do not match what is presented. Senders that do not follow the alias, or do not find the first, cannot deliver.",
		Shows:  "When a check sees it.",
		Clears: "When the records at both names match, or one of the names has none.",
		Do:     "Publish the same records at both names, or name the host itself in the MX record.",
	}, {
		Code: CodeDANEPartial, Severity: Warn, Person: true,
		Means:  "DANE holds for some MX hosts of the domain and not for this one. Whoever can keep senders away from the others gets the mail through this one, without DANE (RFC 7672, section 2.2.1).",
		Shows:  "When a check sees both.",
		Clears: "When DANE holds for all MX hosts, or for none.",
		Do:     "Publish TLSA records for this host, too, in a signed zone; only those who run the zone of its name can. Or take it out of the MX records.",
	}, {
		Code: CodeDANEAbsent, Severity: Info,
		Means:  "No MX host of the domain has TLSA records, so DANE is off: senders use TLS where it is offered, and authenticate nobody.",
		Shows:  "When a check finds none.",
		Clears: "When an MX host has TLSA records.",
		Do:     "Publish TLSA records for each MX host: on that host, tlsaroll init makes the beginning. If the host belongs to a mail provider, only that provider can.",
	},
}
