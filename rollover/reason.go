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
	CodeComboUnmatched    Code = "combination-unmatched"
	CodeServerReadsStaged Code = "server-reads-staged"
	CodeDeadline          Code = "deadline"
	CodeExpiresInWait     Code = "expires-in-wait"
	CodeFamilyUntested    Code = "family-untested"
	CodeUpdateFailed      Code = "update-failed"
	CodeAddByHand         Code = "add-by-hand"
	CodeChangeByHand      Code = "change-by-hand"
	CodeSiblingFirst      Code = "sibling-first"
	CodeEmergency         Code = "emergency"
	CodeWithdrawing       Code = "withdrawing"
	CodeWithdrawn         Code = "withdrawn"
	CodeNoTLS             Code = "starttls-missing"
	CodeCachedMismatch    Code = "cached-mismatch"
	CodeServerUnlisted    Code = "server-unlisted"
	CodeUnlistedUnknown   Code = "unlisted-unknown"
	CodeExpiresSoon       Code = "expires-soon"
	CodeOrderFailed       Code = "order-failed"
	CodeKeyCompromised    Code = "key-compromised"
	CodeReplay            Code = "replay-possible"
	CodeIssuerList        Code = "issuer-list"
	CodeIssuerListOld     Code = "issuer-list-old"
)

// Warnings about the process that runs the rules, and no lineage: see [NewWarning].
const (
	CodeClockSet     Code = "clock-set"
	CodeConfigStale  Code = "config-stale"
	CodePassFailed   Code = "pass-failed"
	CodeNotifyFailed Code = "notify-failed"
)

// Warnings about standby keys, which the rules know by their records alone: whoever
// keeps the keys tells them, see [NewWarning].
const (
	CodeStandbyLost       Code = "standby-lost"
	CodeStandbyUnreadable Code = "standby-unreadable"
	CodeStandbyAbsent     Code = "standby-absent"
	CodeStandbyOtherType  Code = "standby-other-type"
	CodeStandbyToCome     Code = "standby-to-come"
)

// A Reason names an unmet condition.
type Reason struct {
	Code  Code      `json:"code"`
	Text  string    `json:"text"`
	About string    `json:"about,omitempty"` // see [Warning]
	Until time.Time `json:"until,omitzero"`  // when it will be met if nothing changes; zero: not known
}

// Severity of a warning.
type Severity string

// Severities, least first.
const (
	Info   Severity = "info"
	Warn   Severity = "warning"
	Danger Severity = "error" // breaks mail, or keeps the next certificate from coming
)

// A Warning is something a person should know. Code and About say what it is as
// long as it lasts; the text may change meanwhile.
type Warning struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"` // that of the code, see [Codes]
	Text     string   `json:"text"`
	About    string   `json:"about,omitempty"` // server, address, name or pair
}

// NewWarning makes a warning with the severity of its code.
func NewWarning(code Code, about, text string) Warning {
	return Warning{Code: code, Severity: code.Severity(), Text: text, About: about}
}

// same reports whether two warnings are about the same, whatever they say.
func (w Warning) same(v Warning) bool { return w.Code == v.Code && w.About == v.About }

func warning(code Code, about, format string, args ...any) Warning {
	return NewWarning(code, about, fmt.Sprintf(format, args...))
}

func reason(code Code, format string, args ...any) Reason {
	return Reason{Code: code, Text: fmt.Sprintf(format, args...)}
}

// of says what the reason is about.
func (r Reason) of(about string) Reason {
	r.About = about
	return r
}

// warning is the reason as something a person should know.
func (r Reason) warning() Warning { return NewWarning(r.Code, r.About, r.Text) }

func because(err string) string {
	if err == "" {
		return ""
	}
	return " (" + err + ")"
}
