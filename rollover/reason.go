package rollover

import (
	"fmt"
	"time"
)

// Code names a condition. It is stable: people search for it and programs match on it.
type Code string

// Reasons why nothing more is done, and warnings. [Codes] explains each.
const (
	CodeNotAdopted        Code = "not-adopted"
	CodeAdopting          Code = "adopting"
	CodeLiveUnreadable    Code = "live-unreadable"
	CodeStagedUnreadable  Code = "staged-unreadable"
	CodeStagedOlder       Code = "staged-older"
	CodePairUnfit         Code = "pair-unfit"
	CodeStashUnreadable   Code = "stash-unreadable"
	CodeNotYetValid       Code = "not-yet-valid"
	CodeExpired           Code = "expired"
	CodeNameMissing       Code = "name-missing"
	CodeServersUnknown    Code = "servers-unknown"
	CodeServerUnknown     Code = "server-unknown"
	CodeNotEverywhere     Code = "not-everywhere"
	CodeNotInCopy         Code = "not-in-copy"
	CodeCopyUnknown       Code = "copy-unknown"
	CodeVersionAlive      Code = "version-alive"
	CodeDark              Code = "servers-were-dark"
	CodeSignatureEnds     Code = "signature-ends"
	CodeUnsigned          Code = "unsigned"
	CodeZoneInsecure      Code = "zone-insecure"
	CodeZoneBogus         Code = "zone-bogus"
	CodeZoneIndeterminate Code = "zone-indeterminate"
	CodeNoProvider        Code = "no-provider"
	CodeEndpointUnseen    Code = "endpoint-unseen"
	CodeCombinationHeld   Code = "combination-held-back"
	CodeForeignCombo      Code = "foreign-combination"
	CodeUnlistedOwner     Code = "unlisted-owner"
	CodeFrozen            Code = "frozen"
	CodeQueued            Code = "queued"
	CodeSwapFailed        Code = "swap-failed"
	CodeSettling          Code = "settling"
	CodeBackBlocked       Code = "back-blocked"
	CodeRetireWindow      Code = "retire-window"
	CodeStillNeeded       Code = "still-needed"
	CodeRRsetFull         Code = "rrset-full"
	CodeRRsetLarge        Code = "rrset-large"
	CodeRepair            Code = "repair"
	CodeServedUnmatched   Code = "served-unmatched"
	CodeServerReadsStaged Code = "server-reads-staged"
	CodeDeadline          Code = "deadline"
	CodeExpiresInWait     Code = "expires-in-wait"
	CodeFamilyUntested    Code = "family-untested"
	CodeUpdateFailed      Code = "update-failed"
	CodeSiblingFirst      Code = "sibling-first"
	CodeEmergency         Code = "emergency"
	CodeWithdrawing       Code = "withdrawing"
	CodeWithdrawn         Code = "withdrawn"
	CodeNoTLS             Code = "starttls-missing"
	CodeCachedMismatch    Code = "cached-mismatch"
)

// A Reason names an unmet condition.
type Reason struct {
	Code  Code      `json:"code"`
	Text  string    `json:"text"`
	Until time.Time `json:"until,omitzero"` // when it will be met if nothing changes; zero: not known
}

// Severity of a warning.
type Severity string

const (
	Info   Severity = "info"
	Warn   Severity = "warning"
	Danger Severity = "error" // breaks mail, or needs a person
)

// A Warning is something a person should know.
type Warning struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
}

func reason(code Code, format string, args ...any) Reason {
	return Reason{Code: code, Text: fmt.Sprintf(format, args...)}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func because(err string) string {
	if err == "" {
		return ""
	}
	return " (" + err + ")"
}
