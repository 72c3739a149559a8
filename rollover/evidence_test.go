package rollover

import (
	"testing"
	"time"
)

// Somebody lowers an address's TTL and takes the address out a minute later, or a
// resolver says how much of it is left: caches have it for the whole of the old one.
func TestAddressCountsForTheLongestTTLSeen(t *testing.T) {
	const url, address = "smtp://mx1.example.org", "192.0.2.1:25"
	var l Ledger
	look := func(minutes int, ttl time.Duration) {
		at := Seen([]Address{{Address: address, TTL: ttl}})
		if ttl == 0 {
			at = Seen([]Address(nil))
		}
		now := epoch.Add(time.Duration(minutes) * time.Minute)
		l.looked(url, at, nil, now)
		l.forgetAddresses(func(string) bool { return true }, now)
	}
	look(0, time.Hour)
	look(10, time.Minute)
	for minutes, known := range map[int]bool{11: true, 70: true, 72: false} {
		before := l.clone()
		look(11, 0)
		look(minutes, 0)
		if got := len(l.Addresses) > 0; got != known {
			t.Errorf("after %d minutes: reckoned with %t, want %t", minutes, got, known)
		}
		l = before
	}
}
