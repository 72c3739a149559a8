package subprocess

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzQuoted quotes what commands print: one line that a terminal can show and an error can
// hold, with no part of a key in it, however the output came in pieces.
func FuzzQuoted(f *testing.F) {
	key := []byte("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTestTestTestTest\nAbcdefghijklmnopqrstuvwxyz0123456789+/==\n-----END PRIVATE KEY-----\n")
	f.Add([]byte("one\ntwo\nthree\nfour\n"), uint16(3))
	f.Add(key, uint16(40))
	f.Add(key[30:70], uint16(0))
	f.Add([]byte("\x1b[2J\xff\x00\u2028 x\r\n\n"), uint16(1))
	f.Add(bytes.Repeat([]byte("Private-Key: 1\n"), 2), uint16(7))
	f.Fuzz(func(t *testing.T, output []byte, at uint16) {
		var end tail
		cut := min(int(at), len(output))
		for _, part := range [][]byte{output[:cut], output[cut:]} {
			if n, err := end.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if len(end.kept) > maxOutput {
			t.Errorf("%d octets were kept", len(end.kept))
		}
		if holdsKey(output) != end.secret && cut == 0 {
			t.Errorf("a key in it: %v, noticed: %v", holdsKey(output), end.secret)
		}
		text := Quoted(end.kept, key)
		if len(text) > len(": …")+MaxQuoted || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Errorf("got %q", text)
		}
		for line := range strings.Lines(string(key)) {
			for line = strings.TrimSpace(line); len(line) >= 24 && line[0] != '-'; line = line[1:] {
				if strings.Contains(text, line[:24]) {
					t.Errorf("a part of the key is quoted: %q", text)
				}
			}
		}
	})
}
