package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxFrame is the longest frame that a client takes, octets. A status of thousands of
// lineages is one line of JSON.
const maxFrame = 64 << 20

// kind says what a frame is.
type kind string

const (
	kindHello   kind = "hello"   // the first one
	kindResult  kind = "result"  // a line for standard output
	kindSay     kind = "say"     // a line for standard error
	kindStick   kind = "stick"   // a line that the next one replaces
	kindUnstick kind = "unstick" // leave that line where it is
	kindBeat    kind = "beat"    // the scheduler answers
	kindExit    kind = "exit"    // the last one
)

// frame is a line of the daemon's answer.
type frame struct {
	Kind  kind   `json:"kind"`
	Text  string `json:"text,omitempty"`
	Exit  int    `json:"exit,omitempty"`
	Hello *hello `json:"hello,omitempty"` // of the first one alone
}

// hello says who answers.
type hello struct {
	wireVersion
	PID int `json:"pid"`
}

func (f frame) encode() []byte {
	line, err := json.Marshal(f)
	if err != nil {
		panic("control: a frame: " + err.Error()) // strings and numbers cannot fail
	}
	return append(line, '\n')
}

// frameReader takes frames off a stream.
type frameReader struct{ *bufio.Reader }

var errFrame = errors.New("an answer that is none of tlsaroll's")

// next is the next frame. A line that does not end counts as cut off, whatever it holds:
// [io.ErrUnexpectedEOF].
func (r frameReader) next() (frame, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxFrame {
			return frame{}, fmt.Errorf("%w: a line of more than %d octets", errFrame, maxFrame)
		}
		if err == nil {
			return decodeFrame(line)
		}
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return frame{}, io.ErrUnexpectedEOF
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return frame{}, err
		}
	}
}

func decodeFrame(line []byte) (frame, error) {
	var f frame
	if json.Unmarshal(line, &f) != nil {
		return frame{}, errFrame
	}
	f.Text = Shown(f.Text)
	switch f.Kind {
	case kindHello:
		if f.Hello == nil {
			return frame{}, errFrame
		}
		f.Hello.Version = Shown(f.Hello.Version)
	case kindResult, kindSay, kindStick, kindUnstick, kindBeat, kindExit:
	default:
		return frame{}, errFrame
	}
	return f, nil
}
