package audit

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// lasting are the codes of what is wrong whatever a rollover does: the rest comes and
// goes with one, is told by the rules of package rollover already, or is as the
// configuration wants it, like a TTL.
var lasting = []rollover.Code{
	rollover.CodeUsagePKIX, rollover.CodeDigestLength, rollover.CodeRecordUnknown, rollover.CodeFullUnreadable, rollover.CodeMatchingFull,
	rollover.CodeOnlySHA512, rollover.CodeDigestOfPEM, rollover.CodeDigestOfBareKey, rollover.CodeDigestOfOtherPart, rollover.CodeDigestOfNothing,
	rollover.CodeUsageEEOfCA, rollover.CodeUsageTAOfLeaf, rollover.CodeAnswerLarge, rollover.CodeDigestAgility,
	rollover.CodeNoSNIUnmatched, rollover.CodeSNIDemanded,
	rollover.CodeSTARTTLSPutOff, rollover.CodeGreetingSlow, rollover.CodeTLSOld, rollover.CodeTLSOnlyOld, rollover.CodeKeyWeak,
}

// Lasting are the findings that a daemon tells of, whose rollovers bring others about.
func Lasting(findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if slices.Contains(lasting, f.Code) {
			out = append(out, f)
		}
	}
	return out
}
