package tlsa_test

import (
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestParseParams(t *testing.T) {
	for in, want := range map[string]tlsa.Params{
		"3 1 1":                      tlsa.EE,
		" 2\t1  1 ":                  tlsa.TA,
		"DANE-EE SPKI SHA2-256":      tlsa.EE,
		"pkix-ta cert full":          {},
		"privcert privsel privmatch": {255, 255, 255},
		"4 7 3":                      {4, 7, 3},
	} {
		if got, err := tlsa.ParseParams(in); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"":                      `tlsa parameters "": want usage, selector and matching type, as in "3 1 1"`,
		"3 1":                   `tlsa parameters "3 1": want usage, selector and matching type, as in "3 1 1"`,
		"3 1 1 ab":              `tlsa parameters "3 1 1 ab": want usage, selector and matching type, as in "3 1 1"`,
		"3 1 256":               `tlsa parameters "3 1 256": matching type "256" is not a number from 0 to 255`,
		"3 DANE-EE 1":           `tlsa parameters "3 DANE-EE 1": selector "DANE-EE" is not a number from 0 to 255`,
		"PrivSel SPKI SHA2-256": `tlsa parameters "PrivSel SPKI SHA2-256": usage "PrivSel" is not a number from 0 to 255`,
	} {
		if got, err := tlsa.ParseParams(in); err == nil || err.Error() != want || got != (tlsa.Params{}) {
			t.Errorf("got  %v, %v\nwant %s", got, err, want)
		}
	}
}

// Four usages, both selectors, three matching types: what is defined is
// defined in every combination.
func TestUndefined(t *testing.T) {
	for usage := range 256 {
		for selector := range 256 {
			for _, matching := range []int{0, 1, 2, 3, 254, 255} {
				p := tlsa.Params{tlsa.Usage(usage), tlsa.Selector(selector), tlsa.MatchingType(matching)}
				if defined := usage < 4 && selector < 2 && matching < 3; (p.Undefined() == nil) != defined {
					t.Fatalf("%s: %v", p, p.Undefined())
				}
			}
		}
	}
}
