package dnsprovider_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// TestRefusedTypes: each has its reason and a way out, as phrases that go into a sentence.
func TestRefusedTypes(t *testing.T) {
	refused := dnsprovider.RefusedTypes()
	if !slices.IsSortedFunc(refused, func(a, b dnsprovider.Capability) int { return cmp.Compare(a.Type, b.Type) }) {
		t.Error("not sorted by type")
	}
	seen := map[string]bool{}
	for _, c := range refused {
		if seen[c.Type] || c.Type == "" || c.Type != strings.ToLower(c.Type) || c.Name == "" {
			t.Errorf("type %q, name %q", c.Type, c.Name)
		}
		seen[c.Type] = true
		for _, phrase := range []string{c.Refused, c.Instead} {
			if phrase == "" || strings.HasSuffix(phrase, ".") || strings.ContainsAny(phrase, "\n\r") {
				t.Errorf("%s: not a phrase without full stop: %q", c.Type, phrase)
			}
		}
		if c.Verified != "" || c.Atomic != "" || c.Margin != 0 || c.TXT {
			t.Errorf("%s is refused, and yet can do something", c.Type)
		}
	}
	for _, want := range []string{"netcup", "mijnhost"} {
		if !seen[want] {
			t.Errorf("%s is not among them", want)
		}
	}
}
