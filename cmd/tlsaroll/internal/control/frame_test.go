package control

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

var frames = []frame{
	{Kind: kindHello, Hello: &hello{wireVersion{1, "v1"}, 7}},
	{Kind: kindResult, Text: "a\nb\t<&> \u2028 \x1b[31mü"},
	{Kind: kindSay},
	{Kind: kindStick, Text: strings.Repeat("long ", 100)},
	{Kind: kindUnstick},
	{Kind: kindBeat},
	{Kind: kindExit, Exit: 4},
}

// FuzzFrames reads anything: what is a frame comes out as it would go in, and nothing
// else does.
func FuzzFrames(f *testing.F) {
	var all []byte
	for _, fr := range frames {
		f.Add(fr.encode())
		all = append(all, fr.encode()...)
	}
	f.Add(all)
	f.Add(all[:len(all)-3])
	f.Add([]byte("null\n"))
	f.Add([]byte(`{"kind":"hello"}` + "\n"))
	f.Add([]byte(`{"kind":"exit","exit":1e99}` + "\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := frameReader{bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(in)), 16)}
		for lines := 0; ; lines++ {
			fr, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errFrame) {
					t.Fatalf("another error: %v", err)
				}
				return
			}
			if lines >= bytes.Count(in, []byte("\n")) {
				t.Fatal("more frames than lines")
			}
			again, err := frameReader{bufio.NewReader(bytes.NewReader(fr.encode()))}.next()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(fr.encode(), again.encode()) {
				t.Fatalf("%s came back as %s", fr.encode(), again.encode())
			}
		}
	})
}

func TestFrameErrors(t *testing.T) {
	for in, want := range map[string]error{
		"":                               io.EOF,
		`{"kind":"beat"}`:                io.ErrUnexpectedEOF, // cut off before its end
		"\n":                             errFrame,
		"{}\n":                           errFrame,
		`{"kind":"dance"}` + "\n":        errFrame,
		`{"kind":"hello"}` + "\n":        errFrame,
		`{"kind":"beat"} {}` + "\n":      errFrame,
		"HTTP/1.1 200 OK\r\n":            errFrame,
		strings.Repeat("x", 1<<16):       io.ErrUnexpectedEOF,
		`{"kind":"say","text":1}` + "\n": errFrame,
	} {
		if _, err := (frameReader{bufio.NewReader(strings.NewReader(in))}).next(); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", in, err, want)
		}
	}
	endless := frameReader{bufio.NewReader(zeros{})}
	if _, err := endless.next(); !errors.Is(err, errFrame) {
		t.Errorf("a line without end: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
