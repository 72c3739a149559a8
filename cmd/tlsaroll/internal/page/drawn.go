package page

import (
	"strconv"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// The picture is as wide as there is room: what stands beside what is told in percent
// of it, so that nothing is stretched.

// middle is where a step stands.
func middle(i int) float64 { return (float64(i) + .5) * 100 / steps }

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// rail joins the steps: what is behind us, how far we are, what is to come.
func (t *Timeline) rail(w way) {
	here := middle(0)
	if w.reached > 0 {
		here = middle(w.reached-1) + w.part*100/steps
	}
	t.Rail = []Segment{{percent(here), percent(middle(steps - 1)), ToCome}}
	if here > middle(0) {
		t.Rail = append(t.Rail, Segment{percent(middle(0)), percent(here), Done})
	}
}

// Dots stand in two rows at most, below their step.
const (
	dotsInRow = 5
	dotsApart = 9
)

// dots draws the answers to a question; a no is in the tone that it has here.
func (s *Step) dots(t tally, no Tone) {
	if t.all() > 2*dotsInRow {
		s.More = strconv.Itoa(t.yes) + "/" + strconv.Itoa(t.all())
		return
	}
	for i, a := range t.answers {
		inRow := min(dotsInRow, t.all()-i/dotsInRow*dotsInRow)
		d := Dot{Tone: toneOfAnswer(a.what), X: (2*(i%dotsInRow) - inRow + 1) * dotsApart / 2, Y: i / dotsInRow * dotsApart, Who: a.who + ": " + answer(a.what)}
		if a.what == rollover.No {
			d.Tone = no
		}
		s.Dots = append(s.Dots, d)
	}
}
