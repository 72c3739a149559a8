package rollover

// What is found of a domain's MTA-STS policy (RFC 8461) and its TLSRPT record (RFC
// 8460). Package audit tells them.
const (
	CodeSTSNone          Code = "sts-none"
	CodeSTSUnknown       Code = "sts-unknown"
	CodeSTSRecord        Code = "sts-record-invalid"
	CodeSTSFetch         Code = "sts-policy-fetch-error"
	CodeSTSPolicy        Code = "sts-policy-invalid"
	CodeSTSFaults        Code = "sts-policy-faults"
	CodeSTSTesting       Code = "sts-mode-testing"
	CodeSTSModeNone      Code = "sts-mode-none"
	CodeSTSMaxAge        Code = "sts-max-age-short"
	CodeSTSPatternUnused Code = "sts-pattern-unused"
	CodeSTSUncovered     Code = "sts-host-uncovered"
	CodeSTSRefused       Code = "sts-certificate-refused"
	CodeSTSWouldRefuse   Code = "sts-testing-refused"
	CodeSTSExpiring      Code = "sts-certificate-expiring"
	CodeReportsNone      Code = "tlsrpt-none"
	CodeReportsUnknown   Code = "tlsrpt-unknown"
	CodeReportsInvalid   Code = "tlsrpt-record-invalid"
)

var stsCodes = []Explanation{
	{
		Code: CodeSTSNone, Severity: Info,
		Means:  "The domain has no MTA-STS policy. DANE needs none; senders without DANE then verify nobody.",
		Shows:  "When a check sees it.",
		Clears: "When the domain has a policy.",
		Do:     "Nothing. To have senders without DANE verify the server, publish a policy, and keep a certificate that they believe.",
	}, {
		Code: CodeSTSUnknown, Severity: Info,
		Means:  "Whether the domain has an MTA-STS policy could not be looked up.",
		Shows:  "When a check sees it.",
		Clears: "When the lookup has an answer, be it a denial.",
		Do:     "See whether the resolver gets an answer for the TXT record at _mta-sts below the domain.",
	}, {
		Code: CodeSTSRecord, Severity: Warn, Person: true,
		Means:  "There is a TXT record for MTA-STS that senders must take for none (RFC 8461, section 3.1), so the policy protects nothing.",
		Shows:  "When a check sees it.",
		Clears: "When there is one record of the right form, or none.",
		Do:     `Publish one TXT record at _mta-sts below the domain: "v=STSv1; id=20260101T000000;".`,
	}, {
		Code: CodeSTSFetch, Severity: Warn, Person: true,
		Means:  "A TXT record announces an MTA-STS policy, and the policy cannot be fetched. Senders go by an older one that they hold, or by none.",
		Shows:  "When a check sees it.",
		Clears: "When the policy can be fetched, or the record is gone.",
		Do:     "Serve it at https://mta-sts.DOMAIN/.well-known/mta-sts.txt as text/plain, with a certificate that browsers believe, and without a redirection.",
	}, {
		Code: CodeSTSPolicy, Severity: Warn, Person: true,
		Means:  "The MTA-STS policy is one that senders cannot use. They go by an older one that they hold, or by none.",
		Shows:  "When a check sees it.",
		Clears: "When the policy is put right, or the record is gone.",
		Do:     "Correct the policy: it needs version, mode, max_age, and an mx for each MX host (RFC 8461, section 3.2).",
	}, {
		Code: CodeSTSFaults, Severity: Info,
		Means:  "The MTA-STS policy has faults that some senders put up with, and others may not.",
		Shows:  "When a check sees it.",
		Clears: "When the policy has none.",
		Do:     "Correct the policy, and change the id in the TXT record with it.",
	}, {
		Code: CodeSTSTesting, Severity: Info,
		Means:  "The MTA-STS policy is in mode testing: senders report what it would refuse, and deliver all the same.",
		Shows:  "When a check sees it.",
		Clears: "When the policy is in mode enforce or none.",
		Do:     "Set mode enforce once the reports name no failures; change the id in the TXT record with it.",
	}, {
		Code: CodeSTSModeNone, Severity: Info,
		Means:  "The MTA-STS policy is in mode none: the domain is giving MTA-STS up, and senders drop what they hold.",
		Shows:  "When a check sees it.",
		Clears: "When the record is gone, or the policy is in another mode.",
		Do:     "Nothing. Once the max_age of the former policy is over, the record and the policy can go.",
	}, {
		Code: CodeSTSMaxAge, Severity: Info,
		Means:  "Senders keep the MTA-STS policy for less than a day, so that an attacker who keeps them from it for that long is rid of it.",
		Shows:  "When a check sees it.",
		Clears: "When max_age is a day or more.",
		Do:     "Set max_age to some weeks (RFC 8461, section 3.2) once the policy is right.",
	}, {
		Code: CodeSTSPatternUnused, Severity: Info,
		Means:  "A pattern of the MTA-STS policy fits no MX host.",
		Shows:  "When a check sees it.",
		Clears: "When an MX host fits the pattern, or the pattern is gone.",
		Do:     "Nothing if the host is to come. Else correct the pattern, or take it out.",
	}, {
		Code: CodeSTSUncovered, Severity: Danger, Person: true,
		Means:  "An MX host fits no pattern of the MTA-STS policy, which is in mode enforce. Senders that go by it deliver nothing there.",
		Shows:  "When a check sees it.",
		Clears: "When a pattern fits the host, or the host is no MX host any more.",
		Do:     "Add an mx for the host to the policy, and change the id in the TXT record. Senders may hold the old policy for its max_age.",
	}, {
		Code: CodeSTSRefused, Severity: Danger, Person: true,
		Means:  "An MX host presents what MTA-STS does not accept, and the policy is in mode enforce. Where a DANE-EE record matches, DANE forgives a certificate that ended, is for another name or is from nobody known; MTA-STS does not.",
		Shows:  "When a check sees it.",
		Clears: "When the host presents what MTA-STS accepts, or the policy is in another mode.",
		Do:     "Have a certificate issued that browsers believe, for the name of the MX host, and roll over to it. Until then set mode testing: senders see the change by the id in the TXT record.",
	}, {
		Code: CodeSTSWouldRefuse, Severity: Warn, Person: true,
		Means:  "Senders that go by MTA-STS would refuse an MX host if the policy were in mode enforce. It is in mode testing, so that they report it and deliver.",
		Shows:  "When a check sees it.",
		Clears: "When nothing would be refused, or the policy is in mode none.",
		Do:     "Put it right before the policy is set to mode enforce.",
	}, {
		Code: CodeSTSExpiring, Severity: Warn,
		Means:  "The certificate of an MX host ends soon. DANE-EE forgives that, MTA-STS does not.",
		Shows:  "When a sixth of its time is left, or a week, and there is an MTA-STS policy in mode enforce or testing.",
		Clears: "When the host presents another certificate.",
		Do:     "Renew the certificate, and publish its TLSA record before the server presents it.",
	}, {
		Code: CodeReportsNone, Severity: Info,
		Means:  "The domain has no TLSRPT record, so nobody tells you of deliveries that failed for DANE or MTA-STS.",
		Shows:  "When a check sees it.",
		Clears: "When the domain has a TLSRPT record.",
		Do:     `Publish a TXT record at _smtp._tls below the domain: "v=TLSRPTv1; rua=mailto:ADDRESS", with an address that is read.`,
	}, {
		Code: CodeReportsUnknown, Severity: Info,
		Means:  "Whether the domain has a TLSRPT record could not be looked up.",
		Shows:  "When a check sees it.",
		Clears: "When the lookup has an answer, be it a denial.",
		Do:     "See whether the resolver gets an answer for the TXT record at _smtp._tls below the domain.",
	}, {
		Code: CodeReportsInvalid, Severity: Warn, Person: true,
		Means:  "The TLSRPT record is one that senders cannot use (RFC 8460, section 3), so nobody tells you of deliveries that failed.",
		Shows:  "When a check sees it.",
		Clears: "When there is one record of the right form, or none.",
		Do:     `Publish one TXT record at _smtp._tls below the domain: "v=TLSRPTv1; rua=mailto:ADDRESS".`,
	},
}
