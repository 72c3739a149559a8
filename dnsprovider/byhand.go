package dnsprovider

import "strings"

// A ByHandError is the cause of an error of kind [Temporary]: a person has to make the
// change and has not yet done so.
type ByHandError struct {
	Zone string
	// Add and Remove are the lines of the zone that are to come and to go, whole: with
	// absolute names, TTL and class. For a change of the TTL they are the same but for that.
	Add, Remove []string
	TTLOnly     bool
	// Untold is why the person could not be told; nil: that was done.
	Untold error
}

// Error has all lines: what is shown of the error is what the person goes by.
func (e *ByHandError) Error() string {
	var parts []string
	for _, line := range e.Add {
		parts = append(parts, "add "+line)
	}
	for _, line := range e.Remove {
		parts = append(parts, "remove "+line)
	}
	text := "a person has to change the zone " + e.Zone + ": " + strings.Join(parts, ", ")
	if e.Untold != nil {
		text += "; and nobody could be told: " + e.Untold.Error()
	}
	return text
}

// Unwrap is why the person could not be told.
func (e *ByHandError) Unwrap() error { return e.Untold }

// Urgent reports whether something waits for the change: records that are to come. Those
// that are only to go, or to have another TTL, are in nobody's way.
func (e *ByHandError) Urgent() bool { return len(e.Add) > 0 && !e.TTLOnly }
