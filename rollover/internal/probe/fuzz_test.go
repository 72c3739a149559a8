package probe

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"
)

// A recording is a server that says what it says, whatever the client does.
type recording struct {
	*bytes.Reader
	sent bytes.Buffer
}

func (r *recording) Write(b []byte) (int, error)      { return r.sent.Write(b) }
func (r *recording) Close() error                     { return nil }
func (r *recording) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (r *recording) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (r *recording) SetDeadline(time.Time) error      { return nil }
func (r *recording) SetReadDeadline(time.Time) error  { return nil }
func (r *recording) SetWriteDeadline(time.Time) error { return nil }

// FuzzDialogues: whatever a server says in the clear, a probe comes to an end, has
// read no more than it is to read, goes on to TLS only where nothing is left
// over, sends nothing but its own words, and gives an error of one printable line.
func FuzzDialogues(f *testing.F) {
	for i, talk := range []script{smtpTalk, imapTalk, pop3Talk, sieveTalk} {
		var says strings.Builder
		for _, step := range talk {
			if step == "TLS" {
				break
			}
			if text, ok := strings.CutPrefix(step, "S: "); ok {
				says.WriteString(text + "\r\n")
			}
		}
		f.Add(uint8(i), []byte(says.String()))
		f.Add(uint8(i), []byte(says.String()+"more"))
	}
	f.Add(uint8(0), []byte("220-\n220 \n250-\n250-STARTTLS \n250\n454"))
	f.Add(uint8(0), []byte("\x16\x03\x01"))
	f.Add(uint8(3), []byte("{3}\r\nabc {+}\r\n{99999999999}\r\n"))
	f.Add(uint8(3), []byte("\"\r\nOK(\"\r\nno \x1b[\r\n"))
	words := map[string]bool{"EHLO me": true, "STARTTLS": true, "STLS": true, "QUIT": true, "LOGOUT": true, "a STARTTLS": true, "b LOGOUT": true, "": true}
	f.Fuzz(func(t *testing.T, which uint8, says []byte) {
		d := []dialect{schemes()[0].dialect, schemes()[3].dialect, schemes()[5].dialect, schemes()[7].dialect}[which%4]
		server := &recording{Reader: bytes.NewReader(says)}
		s := &session{ctx: t.Context(), raw: server, out: server, lines: newLines(server), hello: "me", timeout: time.Minute, banner: time.Minute}
		err := s.negotiate(d)
		for line := range strings.SplitSeq(server.sent.String(), "\r\n") {
			if !words[line] {
				t.Errorf("said %q", line)
			}
		}
		if read := len(says) - server.Len(); read > maxTalk+maxLine {
			t.Errorf("read %d octets", read)
		}
		if err == nil {
			if !strings.HasSuffix(server.sent.String(), "STARTTLS\r\n") && !strings.HasSuffix(server.sent.String(), "STLS\r\n") || s.lines.r.Buffered() > 0 {
				t.Errorf("goes on to TLS after %q, %d octets left over", server.sent.String(), s.lines.r.Buffered())
			}
			return
		}
		if o := outcomeOf(err); o == Served || o == NotOffered || o == HandshakeFailed || o == "" {
			t.Errorf("got outcome %q", o)
		}
		if text := err.Error(); len(text) > 2000 || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("got error %q", text)
		}
	})
}

// FuzzReply: a reply that is read says what the lines said.
func FuzzReply(f *testing.F) {
	f.Add("220 mx\r\n")
	f.Add("250-mx\r\n250-STARTTLS\r\n250 HELP\r\n")
	f.Add("250-mx\n999\n")
	f.Fuzz(func(t *testing.T, says string) {
		r, err := readReply(newLines(strings.NewReader(says)))
		if err != nil {
			return
		}
		if r.code < 0 || r.code > 999 || len(r.text) == 0 {
			t.Fatalf("got %+v", r)
		}
		rest := says
		for i, text := range r.text {
			line, after, ok := strings.Cut(rest, "\n")
			if rest = after; !ok || !strings.HasSuffix(strings.TrimSuffix(line, "\r"), text) {
				t.Errorf("line %d is %q, got %q", i, line, text)
			}
		}
	})
}
