package rollover

import "slices"

// Findings of what judges a domain or a host as senders do: package audit. Where a
// condition is one that a daemon tells of, too, its code is among the others.
const (
	// What the records say.
	CodeRecordsUnusable   Code = "records-unusable"
	CodeUsagePKIX         Code = "usage-pkix"
	CodeDigestLength      Code = "digest-length"
	CodeRecordUnknown     Code = "record-unknown"
	CodeFullUnreadable    Code = "full-unreadable"
	CodeMatchingFull      Code = "matching-full"
	CodeSelectorCert      Code = "selector-cert"
	CodeAnchorCert        Code = "anchor-cert"
	CodeOnlySHA512        Code = "only-sha512"
	CodeDigestOfPEM       Code = "digest-of-pem"
	CodeDigestOfBareKey   Code = "digest-of-bare-key"
	CodeDigestOfOtherPart Code = "digest-of-other-part"
	CodeDigestOfNothing   Code = "digest-of-nothing"
	CodeUsageEEOfCA       Code = "usage-ee-of-ca"
	CodeUsageTAOfLeaf     Code = "usage-ta-of-leaf"
	CodeSingleRecord      Code = "single-record"
	CodeTooManyRecords    Code = "too-many-records"
	CodeAnswerLarge       Code = "answer-large"
	CodeTTLLong           Code = "ttl-long"
	CodeTTLShort          Code = "ttl-short"
	CodeIssuerSiblings    Code = "issuer-siblings"
	CodeIssuerRetired     Code = "issuer-retired"

	// What is presented beside them.
	CodeDigestAgility      Code = "digest-agility"
	CodeAddressUnmatched   Code = "address-unmatched"
	CodeAlgorithmUnmatched Code = "algorithm-unmatched"
	CodeNoSNIUnmatched     Code = "no-sni-unmatched"
	CodeSNIDemanded        Code = "sni-demanded"
	CodeAnchorNotServed    Code = "anchor-not-served"
	CodeAnchorPath         Code = "anchor-path"
	CodeAnchorDates        Code = "anchor-dates"

	// What is presented, whatever the records.
	CodeSTARTTLSPutOff       Code = "starttls-put-off"
	CodePlaintextOnly        Code = "plaintext-only"
	CodeGreetingSlow         Code = "greeting-slow"
	CodeTLSOld               Code = "tls-old"
	CodeTLSOnlyOld           Code = "tls-only-old"
	CodeTLSOnlyNew           Code = "tls-only-new"
	CodeCertificateDates     Code = "certificate-dates"
	CodeCertificateName      Code = "certificate-name"
	CodeCertificateUntrusted Code = "certificate-untrusted"
	CodeKeyWeak              Code = "key-weak"
	CodeKeyRare              Code = "key-rare"
	CodeKeyShared            Code = "key-shared"
	CodeCAANone              Code = "caa-none"
	CodeCAAExcludes          Code = "caa-excludes"

	// Where mail goes, and whether DANE applies there.
	CodeMXInsecure      Code = "mx-insecure"
	CodeMXAlias         Code = "mx-alias"
	CodeMXNoHost        Code = "mx-no-host"
	CodeMXNoAddress     Code = "mx-no-address"
	CodeMXNone          Code = "mx-none"
	CodeNullMXOthers    Code = "null-mx-others"
	CodeImplicitMX      Code = "implicit-mx"
	CodeWrongOwner      Code = "wrong-owner"
	CodeRecordsInsecure Code = "records-insecure"
	CodeAddressInsecure Code = "address-insecure"
	CodeAliasInsecure   Code = "alias-insecure"
	CodeBaseUnmatched   Code = "base-unmatched"
	CodeDANEPartial     Code = "dane-partial"
	CodeDANEAbsent      Code = "dane-absent"

	// What name servers give, and caches hold.
	CodeServerUnmatched Code = "server-unmatched"
	CodeServerBogus     Code = "server-bogus"
	CodeTLSAUnanswered  Code = "tlsa-unanswered"
	CodeDenialCached    Code = "denial-cached"
)

// auditCodes are all of them.
var auditCodes = slices.Concat(auditRecordCodes, auditMatchCodes, auditServedCodes, auditNameCodes, auditServerCodes)
