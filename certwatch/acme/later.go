package acme

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A span is the least and the most that is waited.
type span struct{ least, most time.Duration }

// parseRetryAfter reads a Retry-After header (RFC 9110, section 10.2.3), within bounds: a
// CA that asks for a year, or for no time at all, is not taken at its word. False where
// there is none that can be read.
func parseRetryAfter(header string, now time.Time, within span) (time.Duration, bool) {
	header = strings.TrimSpace(header)
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	} else {
		return 0, false
	}
	return min(max(wait, within.least), within.most), true
}
