package page

import (
	"slices"
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.FixedZone("", -5*3600+1800))
	for d, want := range map[time.Duration][2]string{
		0:                                {"now", "12:00:00 -04:30"},
		-500 * time.Millisecond:          {"now", "11:59:59 -04:30"},
		40 * time.Second:                 {"in 40 s", "12:00:40 -04:30"},
		12*time.Minute + 3*time.Second:   {"in 12 min", "12:12:03 -04:30"},
		-72 * time.Minute:                {"1 h 12 min ago", "10:48:00 -04:30"},
		2 * time.Hour:                    {"in 2 h", "14:00:00 -04:30"},
		12 * time.Hour:                   {"in 12 h", "2027-03-02 00:00 -04:30"},
		24*time.Hour + 30*time.Minute:    {"in 1 day", "2027-03-02 12:30 -04:30"},
		-(3*24 + 5) * time.Hour:          {"3 days 5 h ago", "2027-02-26 07:00 -04:30"},
		(21*24 + 5) * time.Hour:          {"in 21 days", "2027-03-22 17:00 -04:30"},
		-13*time.Hour - 30*time.Second:   {"13 h ago", "2027-02-28 22:59 -04:30"},
		time.Hour - 100*time.Millisecond: {"in 59 min", "12:59:59 -04:30"},
	} {
		if m := moment(now.Add(d).UTC(), now); m.Relative != want[0] || m.Stamp != want[1] {
			t.Errorf("%s: %q, %q, want %q", d, m.Relative, m.Stamp, want)
		}
	}
	if m := moment(now, now).Machine; m != "2027-03-01T12:00:00-04:30" {
		t.Error(m)
	}
	if maybe(nil, now) != nil || maybe(&time.Time{}, now) != nil {
		t.Error("a time that is not known is told")
	}
	names := []string{"mx10", "mx2", "b", "mx", "mx02a", "mx2a", "a1", "mx1-rsa", ""}
	slices.SortStableFunc(names, byNumber)
	if want := []string{"", "a1", "b", "mx", "mx1-rsa", "mx2", "mx02a", "mx2a", "mx10"}; !slices.Equal(names, want) {
		t.Error(names)
	}
	if a, b := identity("a b"), identity("a~20b"); a == b || a != "a~20b" {
		t.Error(a, b)
	}
}
