package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolded(t *testing.T) {
	margin := strings.Repeat(" ", hanging)
	words := strings.Repeat("w", 3*hanging/2)
	for _, tt := range []struct {
		line    string
		columns int
		want    []string
	}{
		{"", 80, []string{""}},
		{"mx1  steady", 80, []string{"mx1  steady"}},
		{margin + words[:30] + " two three", hanging + 34, []string{margin + words[:30] + " two", margin + "three"}},
		{margin + words[:30] + " two three", hanging + 37, []string{margin + words[:30] + " two", margin + "three"}},
		{margin + words + "ü", hanging + 36, []string{margin + words[:36], margin + words[36:] + "ü"}},
		{"a word by word", 8, []string{"a word", "  by", "  word"}},
		{"abc", 1, []string{"a", "b", "c"}},
	} {
		if diff := cmp.Diff(tt.want, folded([]string{tt.line}, tt.columns)); diff != "" {
			t.Errorf("%q in %d columns (-want +got):\n%s", tt.line, tt.columns, diff)
		}
	}
}
