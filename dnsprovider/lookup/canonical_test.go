package lookup

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/miekg/dns"
)

// The order of RFC 4034, section 6.1.
func TestCanonicalOrder(t *testing.T) {
	want := []string{"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareNames)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if compareNames("A.example.", `\097.EXAMPLE`) != 0 {
		t.Error("an escape is another way to write the same octet")
	}
}

func FuzzCompareNames(f *testing.F) {
	for _, s := range []string{"", ".", "a.", `\001.a.`, `a\.b.c.`, "*.z.example."} {
		f.Add(s, "a.example.")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := compareNames(a, b), compareNames(b, a)
		if x != -y {
			t.Errorf("%q %q: %d and %d", a, b, x, y)
		}
		_, ok := dns.IsDomainName(a)
		if ascii(a) && ascii(b) && ok && dns.CanonicalName(a) == dns.CanonicalName(b) && x != 0 {
			t.Errorf("%q %q: %d", a, b, x)
		}
	})
}

// ascii: other octets are escaped in names that come from messages.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func TestClosest(t *testing.T) {
	for _, test := range [][3]string{
		{"a.b.example.", "c.b.example.", "b.example."}, {"a.example.", "a.example.", "a.example."},
		{"a.b.", "c.d.", "."}, {".", "a.", "."}, {"x.a.example.", "a.example.", "a.example."},
	} {
		if got := closest(test[0], test[1]); got != test[2] {
			t.Errorf("closest(%s, %s) = %s, want %s", test[0], test[1], got, test[2])
		}
	}
}
