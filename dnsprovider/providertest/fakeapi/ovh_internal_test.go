package fakeapi

import "testing"

// TestLike: OVH's filters are patterns, in which an underscore stands for any character.
func TestLike(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"_25._tcp.mx", "_25._tcp.mx", true}, {"_25._tcp.mx", "x25._tcp.mx", true}, {"_25._tcp.mx", "_25._TCP.MX", true},
		{"_25._tcp.mx", "_25._tcp.mx1", false}, {"_25._tcp.mx", "_26._tcp.mx", false}, {"%mx", "_25._tcp.mx", true},
		{"", "", true}, {"", "mx", false}, {"_", "", false},
	} {
		if got := like(test.pattern, test.s); got != test.want {
			t.Errorf("%q like %q: %v", test.s, test.pattern, got)
		}
	}
}
