package main

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/guide"
)

// asRecipe wants what was printed to be what the recipe shows that has these words: all
// of it but for what is cut there, in its order, whatever the figures are.
func (h *host) asRecipe(words, printed string) {
	h.t.Helper()
	var shown []string
	for _, p := range guide.Pages() {
		for _, b := range p.Blocks() {
			text := strings.Join(b.Lines, "\n")
			if b.Kind == guide.Verbatim && strings.Contains(figureless(text), words) {
				shown = append(shown, text)
			}
		}
	}
	if len(shown) != 1 {
		h.t.Fatalf("%d recipes show %q, want one", len(shown), words)
	}
	lines := slices.DeleteFunc(strings.Split(strings.ReplaceAll(shown[0], "\\\n", ""), "\n"), func(line string) bool { return strings.HasPrefix(line, "$ ") })
	rest := figureless(printed)
	for part := range strings.SplitSeq(strings.Join(lines, "\n"), "…") {
		part = figureless(part)
		_, after, found := strings.Cut(rest, part)
		if !found {
			h.t.Errorf("a recipe shows\n%s\nand what is printed is\n%s\nwhich lacks, or has before something else: %s", shown[0], printed, part)
			return
		}
		rest = after
	}
}
