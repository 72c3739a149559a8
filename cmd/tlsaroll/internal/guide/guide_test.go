package guide

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	p := Page{Text: `# RECIPE
Some words
and more.

Others.
## Part
1. First,
which goes on:

    # a file
      key: 1

    $ command

So much for that.
2. 3 1 1 is no step.
- An item.
term:	What it means: much.
3 1 1 is none, either.
`}
	want := []Block{
		{Kind: Title, Lines: []string{"RECIPE"}},
		{Kind: Paragraph, Lines: []string{"Some words", "and more."}},
		{Kind: Paragraph, Lines: []string{"Others."}},
		{Kind: Subtitle, Lines: []string{"Part"}},
		{Kind: Step, Label: "1.", Lines: []string{"First,", "which goes on:"}},
		{Kind: Verbatim, Lines: []string{"# a file", "  key: 1"}},
		{Kind: Verbatim, Lines: []string{"$ command"}},
		{Kind: Paragraph, Lines: []string{"So much for that."}},
		{Kind: Step, Label: "2.", Lines: []string{"3 1 1 is no step."}},
		{Kind: Item, Lines: []string{"An item."}},
		{Kind: Term, Label: "term", Lines: []string{"What it means: much.", "3 1 1 is none, either."}},
	}
	if diff := cmp.Diff(want, p.Blocks()); diff != "" {
		t.Error(diff)
	}
}
