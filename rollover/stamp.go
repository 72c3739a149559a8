package rollover

import (
	"regexp"
	"time"
)

// stampLayout is that of times in texts. They are in UTC, so that a text is the same on every host.
const stampLayout = "2006-01-02 15:04:05Z"

// stamped finds the times in a text, and the bracket that they stand in.
var stamped = regexp.MustCompile(`\(?\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`)

// Stamp writes a time as the texts of reasons, warnings and findings have it: in UTC, to
// the second. See [ForPeople].
func Stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// ForPeople has the times in a text, written by [Stamp], in the zone of now, with its offset and how
// far from now they are. What stands in brackets is behind such words already.
func ForPeople(text string, now time.Time) string {
	return stamped.ReplaceAllStringFunc(text, func(found string) string {
		bracket, stamp := "", found
		if found[0] == '(' {
			bracket, stamp = "(", found[1:]
		}
		t, err := time.Parse(stampLayout, stamp)
		if err != nil { // no such day
			return found
		}
		zoned := bracket + t.In(now.Location()).Format("2006-01-02 15:04:05 -07:00")
		switch away := t.Sub(now); {
		case bracket != "", away.Abs() < time.Second:
			return zoned
		case away > 0:
			return zoned + ", in " + span(away)
		default:
			return zoned + ", " + span(-away) + " ago"
		}
	})
}
