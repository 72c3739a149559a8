package hello

import (
	"slices"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// TestTables has each suite and group once, and known to the rules by the same name.
func TestTables(t *testing.T) {
	seen := map[uint16]bool{}
	for _, f := range families {
		for _, s := range f.suites {
			if seen[s] {
				t.Errorf("suite %04x stands there twice", s)
			}
			seen[s] = true
			if name := audit.SuiteName(s); name[0] == '0' {
				t.Errorf("suite %s has no name", name)
			}
		}
	}
	if len(seen) < 150 {
		t.Errorf("%d suites", len(seen))
	}
	for _, groups := range [][]group{curves, groups13} {
		for i, g := range groups {
			if slices.IndexFunc(groups, func(h group) bool { return h.id == g.id || h.name == g.name }) != i {
				t.Errorf("group %s stands there twice", g.name)
			}
		}
	}
}
