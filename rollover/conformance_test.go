package rollover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A passage is one section of a standard, as a list of what it says. The files
// beside this one hold one for each section on rollovers.
type passage struct {
	section            string
	sentences, figures int // of the text
	all                []sentence
}

// A sentence of a passage, or a figure, has a test if software like ours can keep
// or break it, and else a reason why not. Its name is a short form of it.
type sentence struct {
	number int // counted in the section, figures apart
	figure bool
	name   string
	test   func(t *testing.T)
	reason string
}

func (s sentence) String() string {
	if s.figure {
		return fmt.Sprintf("figure %d", s.number)
	}
	return fmt.Sprintf("sentence %d", s.number)
}

// conform runs the tests of a text.
func conform(t *testing.T, text []passage) {
	for _, p := range text {
		for _, s := range p.all {
			if s.test != nil {
				t.Run(fmt.Sprintf("%s %s: %s", p.section, s, s.name), s.test)
			}
		}
	}
}

func TestRFC7671Section8(t *testing.T) { conform(t, rfc7671section8()) }

func TestRFC7672Section4(t *testing.T) { conform(t, rfc7672section4()) }

func TestRFC6698AppendixA4(t *testing.T) { conform(t, rfc6698appendixA4()) }

// Every sentence and every figure has either a test or a reason, once.
func TestNoSentenceIsLeftOut(t *testing.T) {
	for text, passages := range map[string][]passage{
		"RFC 7671": rfc7671section8(), "RFC 7672": rfc7672section4(), "RFC 6698": rfc6698appendixA4(),
	} {
		for _, p := range passages {
			var want, got []string
			for i := range p.sentences {
				want = append(want, sentence{number: i + 1}.String())
			}
			for i := range p.figures {
				want = append(want, sentence{number: i + 1, figure: true}.String())
			}
			for _, s := range p.all {
				got = append(got, s.String())
				switch {
				case (s.test == nil) == (s.reason == ""):
					t.Errorf("%s, section %s, %s: either a test or a reason", text, p.section, s)
				case s.name == "" || strings.Contains(s.name, "/"):
					t.Errorf("%s, section %s, %s: %q cannot be run by its name", text, p.section, s, s.name)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s, section %s: got %q, want %q", text, p.section, got, want)
			}
		}
	}
}
