package main

import (
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/demo"
)

// stage is where the demo is shown: its story is a result.
func (u *ui) stage() demo.Stage {
	if u.moving {
		return &movingStage{u, newPicture(u.own)}
	}
	return plainStage{u}
}

// line is a line of the story in its colour.
func (u *ui) line(l demo.Line) string {
	switch l.Tone {
	case demo.Good:
		return paint(u.colourOut, green, l.Text)
	case demo.Bad:
		return paint(u.colourOut, red, l.Text)
	default:
		return l.Text
	}
}

// A plainStage shows the story line by line.
type plainStage struct{ *ui }

// Say is of [demo.Stage].
func (s plainStage) Say(lines ...demo.Line) {
	for _, l := range lines {
		s.result(s.line(l))
	}
}

// Event is of [demo.Stage].
func (s plainStage) Event(l demo.Line) { s.result(s.line(l)) }

// Show is of [demo.Stage]: the events tell of it.
func (plainStage) Show([]demo.Line) {}

// A movingStage shows a picture that changes on a terminal.
type movingStage struct {
	*ui
	picture *picture
}

// Say is of [demo.Stage].
func (s *movingStage) Say(lines ...demo.Line) {
	s.picture.leave()
	for _, l := range lines {
		s.result(s.line(l))
	}
}

// Event is of [demo.Stage]: the picture shows it.
func (*movingStage) Event(demo.Line) {}

// Show is of [demo.Stage].
func (s *movingStage) Show(picture []demo.Line) {
	texts := make([]string, len(picture))
	for i, l := range picture {
		texts[i] = l.Text
	}
	s.picture.show(texts, func(i int, cut string) string { return s.line(demo.Line{Text: cut, Tone: picture[i].Tone}) })
}
