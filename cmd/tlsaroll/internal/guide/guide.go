// Package guide has the texts of the manual that no command's help is the place for: why
// no mail is lost, who could do what, and what to type when something else is wanted than
// a renewal. Each is written once, in a file of its own, and laid out by who prints it.
//
// A text is made of lines. One that begins with # is the title of a section, with ## that of
// a part of it. Empty lines part paragraphs. One that begins with a number and a dot is a
// step, with "- " an item of a list. A word with a colon and a tab after it is explained by what
// follows. Lines that begin with four blanks stand as they are: what is typed
// after "$ ", and what is printed then; or a configuration, which begins with its path after #.
package guide

import (
	_ "embed"
	"strings"
)

// Page is a text and what it is called.
type Page struct {
	Name  string // of the page, without its section, which is 7
	About string // one line, for whatis(1)
	Text  string
}

//go:embed safety.txt
var safety string

//go:embed threats.txt
var threats string

//go:embed recipes.txt
var recipes string

// Pages are all of them.
func Pages() []Page {
	return []Page{
		{"tlsaroll-safety", "why no sender that enforces DANE is refused by a rollover", safety},
		{"tlsaroll-threats", "who could do what to a host with tlsaroll", threats},
		{"tlsaroll-recipes", "first DANE, several hosts, a leaked key and other days", recipes},
	}
}

// Kind is what a block of a text is.
type Kind int

// The kinds of blocks.
const (
	Title     Kind = iota // of a section
	Subtitle              // of a part of it
	Paragraph             //
	Step                  // of several, in their order
	Item                  // of a list
	Term                  // and what it means
	Verbatim              // lines as they stand
)

// A Block is a part of a text.
type Block struct {
	Kind  Kind
	Label string   // the number of a step, the word of a term
	Lines []string // of a paragraph, to be filled; of what is verbatim, as they stand
}

// Blocks takes the text apart.
func (p Page) Blocks() (blocks []Block) {
	open := false // the last block takes further lines
	for line := range strings.SplitSeq(strings.TrimRight(p.Text, "\n"), "\n") {
		b, begins := begin(line)
		switch last := len(blocks) - 1; {
		case line == "":
			open = false
			continue
		case b.Kind == Verbatim && open && blocks[last].Kind == Verbatim,
			b.Kind == Paragraph && open && !begins && blocks[last].Kind != Verbatim && blocks[last].Kind > Subtitle:
			blocks[last].Lines = append(blocks[last].Lines, b.Lines...)
		default:
			blocks = append(blocks, b)
		}
		open = true
	}
	return blocks
}

// begin is the block that a line begins, if it may not go on with the one before.
func begin(line string) (b Block, begins bool) {
	for _, mark := range []struct {
		text string
		kind Kind
	}{{"## ", Subtitle}, {"# ", Title}, {"- ", Item}} {
		if rest, ok := strings.CutPrefix(line, mark.text); ok {
			return Block{Kind: mark.kind, Lines: []string{rest}}, true
		}
	}
	if rest, ok := strings.CutPrefix(line, indent); ok {
		return Block{Kind: Verbatim, Lines: []string{rest}}, true
	}
	if term, what, ok := strings.Cut(line, ":\t"); ok {
		return Block{Kind: Term, Label: term, Lines: []string{what}}, true
	}
	if number, what, ok := strings.Cut(line, ". "); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return Block{Kind: Step, Label: number + ".", Lines: []string{what}}, true
	}
	return Block{Kind: Paragraph, Lines: []string{line}}, false
}

// indent is what lines begin with that stand as they are.
const indent = "    "
