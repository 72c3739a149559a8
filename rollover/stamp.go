package rollover

import (
	"regexp"
	"strings"
	"time"
)

// stampLayout is that of times in texts. They are in UTC, so that a text is the same on every host.
const stampLayout = "2006-01-02 15:04:05Z"

// stamped finds the times in a text, and the bracket that they stand in.
var stamped = regexp.MustCompile(`\(?\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`)

// Stamp writes a time as the texts of reasons, warnings and findings have it: in UTC, to
// the second. See [ForPeople].
func Stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// Restamp has something else in the place of each time in a text that [Stamp] wrote. One in
// brackets is behind words already that say how far away it is.
func Restamp(text string, as func(t time.Time, inBrackets bool) string) string {
	return stamped.ReplaceAllStringFunc(text, func(found string) string {
		stamp, inBrackets := strings.CutPrefix(found, "(")
		t, err := time.Parse(stampLayout, stamp)
		switch {
		case err != nil: // no such day
			return found
		case inBrackets:
			return "(" + as(t, true)
		}
		return as(t, false)
	})
}

// wordy finds the ends of spans of time that say nothing: 1h0m0s is 1h.
var wordy = regexp.MustCompile(`(\d[hm])(?:0m)?0s\b`)

// ShortSpans has the spans of time in a text without units that are zero, which
// [time.Duration.String] writes.
func ShortSpans(text string) string { return wordy.ReplaceAllString(text, "$1") }

// ForPeople has the times in a text, written by [Stamp], in the zone of now, with its offset and how
// far from now they are, and spans of time in short.
func ForPeople(text string, now time.Time) string {
	return Restamp(ShortSpans(text), func(t time.Time, inBrackets bool) string {
		zoned := t.In(now.Location()).Format("2006-01-02 15:04:05 -07:00")
		switch away := t.Sub(now); {
		case inBrackets, away.Abs() < time.Second:
			return zoned
		case away > 0:
			return zoned + ", in " + span(away)
		default:
			return zoned + ", " + span(-away) + " ago"
		}
	})
}
