package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnnotated(t *testing.T) {
	got := part("# Above\n# all.\na: 1   # of a\n#\n# b: {c: 2}\n#   d: 3  # of d\n# Of the next: this.\n  - e: \"#4\"\n    # # f: 5")
	want := Part{About: "Above all.", Entries: []Entry{
		{Text: "a: 1", About: "of a"},
		{Text: "# b: {c: 2}"},
		{Text: "# d: 3", About: "of d", Depth: 1},
		{Above: "Of the next: this.", Text: `- e: "#4"`, Depth: 1},
		{Text: "# # f: 5", Depth: 2},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestAnnotatedIsWhole wants every word of the example in its parts, in their order, and each
// key explained beside it, above it or at the head of its part.
func TestAnnotatedIsWhole(t *testing.T) {
	var said []string
	parts := Annotated()
	for i, p := range parts {
		said = append(said, p.About)
		if (len(p.Entries) == 0) != (i == 0) {
			t.Errorf("part %d has %d entries: %s", i, len(p.Entries), p.About)
		}
		for _, e := range p.Entries {
			said = append(said, e.Above, e.Text, e.About)
			if p.About == "" && e.About == "" && e.Above == "" && !strings.HasSuffix(e.Text, ":") && !strings.HasPrefix(e.Text, "- ") {
				t.Errorf("%s: nothing explains it", e.Text)
			}
		}
	}
	if got, want := plainWords(strings.Join(said, " ")), plainWords(strings.TrimPrefix(Example(), "# /etc/tlsaroll/tlsaroll.yaml")); got != want {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("at %q it says %q", want[at:min(at+80, len(want))], got[at:min(at+80, len(got))])
	}
	if len(parts) < 10 {
		t.Errorf("%d parts", len(parts))
	}
}

func plainWords(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(text), func(word string) bool { return word == "#" }), " ")
}
