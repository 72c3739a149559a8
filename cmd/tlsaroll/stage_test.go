package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/demo"
)

// story is a story of all that a stage can show.
func story(s demo.Stage) {
	s.Say(demo.Line{Text: "once"}, demo.Line{Text: "upon a time"})
	s.Event(demo.Line{Text: "a wolf came", Tone: demo.Bad})
	s.Show([]demo.Line{{Text: "one wolf"}, {Text: "seven kids", Tone: demo.Good}})
	s.Show([]demo.Line{{Text: "one kid", Tone: demo.Bad}})
	s.Say(demo.Line{Text: "the end"})
	s.Show([]demo.Line{{Text: "a well"}})
}

func onPaper(colour bool) (*ui, *bytes.Buffer) {
	var out bytes.Buffer
	w := quiet()
	w.stdout = &out
	u := newUI(w)
	u.colourOut = colour
	return u, &out
}

// sized is a picture on a terminal of that size.
func sized(u *ui, columns, lines int) *picture {
	return &picture{out: u.own.stdout, size: func() (int, int) { return columns, lines }}
}

func TestPlainStage(t *testing.T) {
	u, out := onPaper(false)
	story(u.stage())
	if diff := cmp.Diff("once\nupon a time\na wolf came\nthe end\n", out.String()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestMovingStage: a picture takes the place of the one before, and what is said leaves
// it where it stands.
func TestMovingStage(t *testing.T) {
	u, out := onPaper(true)
	story(&movingStage{u, sized(u, 80, 24)})
	want := []string{
		"once", "upon a time",
		"one wolf", "\x1b[32mseven kids\x1b[0m",
		"\x1b[2A\r\x1b[J\x1b[31mone kid\x1b[0m",
		"the end",
		"a well", "",
	}
	if diff := cmp.Diff(want, strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestSmallStage: a picture that did not fit could not be replaced.
func TestSmallStage(t *testing.T) {
	u, out := onPaper(false)
	s := &movingStage{u, sized(u, 7, 3)}
	for range 2 {
		s.Show([]demo.Line{{Text: "far too wide"}, {Text: "next to last"}, {Text: "last"}})
	}
	want := []string{"next t", "last", "\x1b[2A\r\x1b[Jnext t", "last", ""}
	if diff := cmp.Diff(want, strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}
