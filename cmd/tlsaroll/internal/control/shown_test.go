package control

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestNothingButText: a daemon that was taken over tells root's terminal what to show, and
// nothing else.
func TestNothingButText(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\tü \u2028":                       "a\nb\tü \u2028",
		"\x1b[31mred\x1b[0m, \x1b[1;32m\x1b[m": "\x1b[31mred\x1b[0m, \x1b[1;32m\x1b[m",
		"\x1b]52;c;cm0gLXJmIC8=\x07":           " ]52;c;cm0gLXJmIC8= ",
		"\x1b[2J\x1b[6n\x1bc":                  " [2J [6n c",
		"\x1b\x07[31m\x1b[3\x071m":             "  [31m [3 1m",
		"\u009b6n\r\x7f\x00":                   " 6n   ",
		"\x1b[31":                              " [31",
		"\x1b\x1b[31m":                         " \x1b[31m",
	} {
		path := answering(t, func(conn net.Conn) {
			said := append(frame{Kind: kindResult, Text: text}.encode(), frame{Kind: kindExit}.encode()...)
			io.WriteString(conn, head+string(frames[0].encode())+string(said))
		})
		var face recorder
		if _, err := (Client{Path: path, Patience: patienceOfTests}).Do(t.Context(), request(), &face); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(face.lines, "|"); !strings.Contains(got, want) || strings.ContainsAny(strings.ReplaceAll(got, want, ""), "\x1b\x07") {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		if again := Shown(Shown(text)); again != want {
			t.Errorf("%q: %q after a second time, want %q", text, again, want)
		}
	}
	path := answering(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\nno\x1b]0;x\x07\n")
	})
	if _, err := (Client{Path: path, Patience: patienceOfTests}).Do(t.Context(), request(), &recorder{}); err == nil || !strings.HasSuffix(err.Error(), " refuses: no ]0;x") {
		t.Errorf("%q", err)
	}
}
