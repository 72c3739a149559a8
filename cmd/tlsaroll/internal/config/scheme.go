package config

import (
	"fmt"
	"slices"
	"strings"
)

// String gives the parts in their usual order: ee+ta+standby.
func (s Scheme) String() string {
	var parts []string
	if s.EE {
		parts = append(parts, "ee")
	}
	if s.TA {
		parts = append(parts, "ta")
	}
	if s.Standby {
		parts = append(parts, "standby")
	}
	return strings.Join(parts, "+")
}

// ParseScheme reads a + set of ee, ta and standby.
func ParseScheme(s string) (Scheme, error) {
	var scheme Scheme
	parts := strings.Split(s, "+")
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if slices.Contains(parts[:i], part) {
			return Scheme{}, fmt.Errorf("scheme %q: %s stands twice (hint: keep one)", s, part)
		}
		switch part {
		case "ee":
			scheme.EE = true
		case "ta":
			scheme.TA = true
		case "standby":
			scheme.Standby = true
		default:
			return Scheme{}, fmt.Errorf("unknown scheme %q (hint: a + set of ee, ta and standby, as in ee+ta)", s)
		}
	}
	if scheme.Standby && !scheme.EE {
		// The 3 1 1 of a key that is not in use would stand alone of its combination, and
		// whoever uses that one finds no match (RFC 7671, section 8).
		return Scheme{}, fmt.Errorf("scheme %q: standby needs ee, or no 3 1 1 matches what is served (hint: write ee+%s)", s, s)
	}
	return scheme, nil
}
