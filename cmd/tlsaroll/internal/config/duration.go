package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// maxTTL is the largest TTL there is (RFC 2181, section 8).
const maxTTL = math.MaxInt32 * time.Second

const durationHint = "write a number and ms, s, m, h, d or w, as in 90s or 1h30m"

var durationPart = regexp.MustCompile(`^([0-9]+)(ms|s|m|h|d|w)`)

// ParseDuration reads durations as mail and DNS administrators write them: the
// units of Go without the fractions of a millisecond, and d and w for 24 hours and
// seven times that. A number without a unit is refused, since half the programs that take one mean
// minutes.
func ParseDuration(s string) (time.Duration, error) {
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	rest, sum := s, time.Duration(0)
	for rest != "" {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			if _, err := strconv.ParseUint(s, 10, 64); err == nil {
				return 0, fmt.Errorf("%q has no unit (hint: seconds are %ss)", s, s)
			}
			return 0, fmt.Errorf("%q is not a duration (hint: %s)", s, durationHint)
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64(math.MaxInt64)/int64(units[m[2]]) || sum+time.Duration(n)*units[m[2]] < sum {
			return 0, fmt.Errorf("%q is longer than any wait (hint: %s)", s, durationHint)
		}
		sum += time.Duration(n) * units[m[2]]
		rest = rest[len(m[0]):]
	}
	if s == "" {
		return 0, fmt.Errorf("empty (hint: %s)", durationHint)
	}
	return sum, nil
}

// span is the durations that a key takes.
type span struct{ least, most time.Duration }

// duration reads a duration within s into to.
func (f *fields) duration(name string, to *time.Duration, s span) (value, bool) {
	v, ok := f.take(name)
	if !ok {
		return v, false
	}
	text, ok := v.text(durationHint)
	if !ok {
		return v, false
	}
	d, err := ParseDuration(text)
	if err != nil {
		v.failed(err, durationHint)
		return v, false
	}
	switch {
	case d < s.least:
		v.fail(text+" is too short", "write "+ShortDuration(s.least)+" or more")
	case d > s.most:
		v.fail(text+" is too long", "write "+ShortDuration(s.most)+" or less")
	default:
		*to = d
		return v, true
	}
	return v, false
}

// ttl reads a TTL: whole seconds, as DNS counts (RFC 1035, section 3.2.1).
func (f *fields) ttl(name string, to *time.Duration) (value, bool) {
	var d time.Duration
	v, ok := f.duration(name, &d, span{time.Second, maxTTL})
	if !ok {
		return v, false
	}
	if d%time.Second != 0 {
		v.fail("a TTL counts whole seconds", "write "+ShortDuration(d.Round(time.Second)))
		return v, false
	}
	*to = d
	return v, true
}

// ShortDuration is a duration without the units that are zero: 24h, not 24h0m0s, see [rollover.ShortSpans].
func ShortDuration(d time.Duration) string {
	return rollover.ShortSpans(d.String())
}
