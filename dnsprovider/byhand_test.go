package dnsprovider_test

import (
	"errors"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

func TestByHandError(t *testing.T) {
	const one, two = "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ab", "_25._tcp.mx.example.org. 60 IN TLSA 3 1 1 ab"
	cause := errors.New("the disk is full")
	for _, test := range []struct {
		err    dnsprovider.ByHandError
		want   string
		urgent bool
	}{
		{dnsprovider.ByHandError{Zone: "example.org.", Add: []string{one}}, "a person has to change the zone example.org.: add " + one, true},
		{dnsprovider.ByHandError{Zone: "example.org.", Remove: []string{one}}, "a person has to change the zone example.org.: remove " + one, false},
		{dnsprovider.ByHandError{Zone: "example.org.", Add: []string{one}, Remove: []string{two}, TTLOnly: true, Untold: cause},
			"a person has to change the zone example.org.: add " + one + ", remove " + two + "; and nobody could be told: the disk is full", false},
	} {
		if got := test.err.Error(); got != test.want || test.err.Urgent() != test.urgent || errors.Is(&test.err, cause) != (test.err.Untold != nil) {
			t.Errorf("%q, urgent %v, want %q, %v", got, test.err.Urgent(), test.want, test.urgent)
		}
	}
}
