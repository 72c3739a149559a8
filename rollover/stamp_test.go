package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestForPeople(t *testing.T) {
	now := time.Date(2026, 7, 1, 14, 0, 0, 0, time.FixedZone("CEST", 2*60*60)) // 12:00 UTC
	for _, test := range []struct{ text, want string }{
		{"nothing to say", "nothing to say"},
		{"may be held until " + rollover.Stamp(now.Add(90*time.Minute)) + " (ttl 1h)", "may be held until 2026-07-01 15:30:00 +02:00, in 1h30m (ttl 1h)"},
		{"frozen since " + rollover.Stamp(now.Add(-3*24*time.Hour)), "frozen since 2026-06-28 14:00:00 +02:00, 3 days ago"},
		{"ready in 5m00s (" + rollover.Stamp(now.Add(5*time.Minute)) + "), on 2 of 2", "ready in 5m00s (2026-07-01 14:05:00 +02:00), on 2 of 2"},
		{"the other day: " + rollover.Stamp(now.Add(11*time.Hour)), "the other day: 2026-07-02 01:00:00 +02:00, in 11h00m"},
		{"from " + rollover.Stamp(now) + " until " + rollover.Stamp(now.Add(time.Second)), "from 2026-07-01 14:00:00 +02:00 until 2026-07-01 14:00:01 +02:00, in 1s"},
		{"after 1h0m0s, 90m0s, 1h10m0s, 0s, 10m0s and 1m10s; in 5m00s", "after 1h, 90m, 1h10m, 0s, 10m and 1m10s; in 5m00s"},
		{"no such day: 2026-02-30 12:00:00Z", "no such day: 2026-02-30 12:00:00Z"},
		{"a program's: 2026-07-01T12:00:00Z", "a program's: 2026-07-01T12:00:00Z"},
	} {
		if got := rollover.ForPeople(test.text, now); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}
