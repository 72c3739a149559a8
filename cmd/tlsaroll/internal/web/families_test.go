package web

import (
	"slices"
	"strings"
	"testing"
)

// TestFamilies wants every family of ours that a scrape can have, once and explained.
func TestFamilies(t *testing.T) {
	families, err := Families()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.Name)
		if !strings.HasSuffix(f.Help, ".") || len(f.Labels) == 0 || f.Type != "gauge" && f.Type != "counter" {
			t.Errorf("%+v", f)
		}
	}
	slices.Sort(names)
	if same := slices.Compact(slices.Clone(names)); len(same) != len(names) || len(names) != len(newGauges().all())+2 {
		t.Errorf("the families are %v", names)
	}
}
