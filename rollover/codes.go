package rollover

import (
	"slices"
	"strings"
)

// An Explanation is the catalogue's entry for a code: everything that is shown
// anywhere as a reason, a warning or a finding has one.
type Explanation struct {
	Code Code `json:"code"`
	// Severity is what the code has whenever it is told as a warning.
	Severity Severity `json:"severity"`
	Means    string   `json:"means"`
	Shows    string   `json:"shows"`  // from when on it is told
	Clears   string   `json:"clears"` // when it is gone
	Do       string   `json:"do"`
	// Person is set where the condition stays until somebody does something. Such
	// a reason is always told as a warning, too.
	Person bool `json:"person"`
}

// catalogue is sorted by code.
var catalogue = slices.SortedFunc(
	slices.Values(slices.Concat(pairCodes, serverCodes, recordCodes, swapCodes, findingCodes, processCodes, keyCodes, auditCodes, stsCodes, hereCodes)),
	func(a, b Explanation) int { return strings.Compare(string(a.Code), string(b.Code)) })

// Codes explains all reasons, warnings and findings, sorted by code.
func Codes() []Explanation { return slices.Clone(catalogue) }

// Explain gives the code's entry in [Codes].
func (c Code) Explain() (e Explanation, ok bool) {
	i, ok := slices.BinarySearchFunc(catalogue, c, func(e Explanation, c Code) int { return strings.Compare(string(e.Code), string(c)) })
	if !ok {
		return e, false
	}
	return catalogue[i], true
}

// NeedsPerson reports whether a condition stays until somebody does something:
// waiting longer will not meet it.
func (c Code) NeedsPerson() bool {
	e, _ := c.Explain()
	return e.Person
}

// Severity is that of a warning with the code; of a code that nobody knows, [Warn].
func (c Code) Severity() Severity {
	if e, ok := c.Explain(); ok {
		return e.Severity
	}
	return Warn
}
