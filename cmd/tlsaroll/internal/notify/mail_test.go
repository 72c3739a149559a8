package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// received is a mail as its reader sees it.
func received(t *testing.T, text []byte) (header mail.Header, subject, body string) {
	t.Helper()
	if bytes.Contains(text, []byte("\r")) {
		t.Errorf("lines end as they do not on this host: %q", text)
	}
	for line := range bytes.Lines(text) {
		if len(line) > 998 || slices.ContainsFunc(line, func(b byte) bool { return b >= 0x80 }) {
			t.Errorf("no line for every mail system: %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, subject, string(whole)
}

func letters(events ...Event) (batch []letter) {
	for i, e := range events {
		n := notice("192.0.2.53", rollover.Danger)
		n.Since, n.Fix = start, "mend the server"
		batch = append(batch, letter{At: start.Add(time.Duration(i) * time.Second), Message: Message{e, n, "mx.example.org"}})
	}
	return batch
}

func TestMail(t *testing.T) {
	m := mailer{to: "postmaster@example.org", host: "mx.example.org"}
	text, err := m.compose(letters(Appeared))
	if err != nil {
		t.Fatal(err)
	}
	header, subject, body := received(t, text)
	id := header.Get("Message-ID")
	if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@mx.example.org>") || len(id) != 32+len("<@mx.example.org>") {
		t.Errorf("Message-ID: %s", id)
	}
	want := mail.Header{
		"To": {"<postmaster@example.org>"}, "Subject": {"tlsaroll on mx.example.org: new: mx1 error server-unknown"}, "Date": {"Sun, 01 Mar 2026 12:00:00 +0000"},
		"Message-Id": {id}, "Auto-Submitted": {"auto-generated"}, "Mime-Version": {"1.0"},
		"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
	}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`new: mx1 error server-unknown, 192.0.2.53
  since 2026-03-01 12:00:00 +00:00
  192.0.2.53 gives no answer
  What to do: mend the server

tlsaroll status on mx.example.org shows where everything stands.
`, body); diff != "" || subject != want.Get("Subject") {
		t.Error(subject, diff)
	}
	again, _ := m.compose(letters(Appeared))
	next := letters(Appeared)
	next[0].At = next[0].At.Add(24 * time.Hour)
	another, _ := m.compose(next)
	if !bytes.Equal(again, text) || bytes.Contains(another, []byte(id)) {
		t.Error("the same mail has another Message-ID, or another the same")
	}
}

func TestMailOfSeveral(t *testing.T) {
	text, err := mailer{to: "postmaster@example.org", host: "mx.example.org"}.compose(letters(Cleared, Appeared, Reminder, Changed, Appeared))
	if err != nil {
		t.Fatal(err)
	}
	header, subject, body := received(t, text)
	if subject != "tlsaroll on mx.example.org: 2 new, 1 worse, 1 still there, 1 cleared" || header.Get("Date") != "Sun, 01 Mar 2026 12:00:04 +0000" {
		t.Errorf("%s, %s", subject, header.Get("Date"))
	}
	if n := strings.Count(body, "server-unknown"); n != 5 {
		t.Errorf("%d messages in\n%s", n, body)
	}
	if n := strings.Count(body, "What to do"); n != 4 { // nothing about what has cleared
		t.Errorf("%d times what to do in\n%s", n, body)
	}
}

// TestMailWithHostileWords has names from other people's DNS.
func TestMailWithHostileWords(t *testing.T) {
	batch := letters(Appeared)
	n := &batch[0].Message.Notice
	n.Lineage, n.Code, n.About = "mx1\nBcc: all@example.org", "ä\r\n\r\n.\r\n", "x\x1b[2J\xff\n.\nFrom here"
	n.Text, n.Fix = strings.Repeat("no answer ", 500)+"\n.\n", "ä\u0085ö"
	text, err := mailer{to: "a+b@example.org", host: "mx\nCc: all@example.org"}.compose(batch)
	if err != nil {
		t.Fatal(err)
	}
	header, subject, body := received(t, text)
	if len(header) != 8 || header.Get("Bcc")+header.Get("Cc") != "" || header.Get("To") != "<a+b@example.org>" {
		t.Errorf("%v", header)
	}
	if want := "tlsaroll on mx Cc: all@example.org: new: mx1 Bcc: all@example.org error ä    ."; subject != want {
		t.Errorf("subject %q, want %q", subject, want)
	}
	if !strings.HasSuffix(header.Get("Message-ID"), "@localhost>") {
		t.Errorf("Message-ID %q", header.Get("Message-ID"))
	}
	if strings.ContainsAny(body, "\x1b\u0085") || slices.Contains(strings.Split(body, "\n"), ".") {
		t.Errorf("%q", body)
	}
}

func TestMailGoesThroughSendmail(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	program := script(t, `{ echo "$*"; cat; } >"`+out+`"`)
	m := mailer{"postmaster@example.org", "mx.example.org", execute, []string{"/nowhere/sendmail", program}}
	if err := m.send(t.Context(), letters(Appeared)); err != nil {
		t.Fatal(err)
	}
	text, _ := m.compose(letters(Appeared))
	if got, err := os.ReadFile(out); err != nil || string(got) != "-t -i\n"+string(text) {
		t.Errorf("sendmail got %s, %v", got, err)
	}
	m.programs = []string{"/nowhere/sendmail"}
	want := "no /nowhere/sendmail (hint: install a mail system that has it, or let notify: run a command)"
	if err := m.send(t.Context(), letters(Appeared)); errorText(err) != want {
		t.Errorf("%v", err)
	}
	m.programs, m.run = []string{program}, func(context.Context, []string, []byte) ([]byte, error) {
		return []byte("queue file write error\n"), errors.New("exit status 75")
	}
	if err := m.send(t.Context(), letters(Appeared)); errorText(err) != "exit status 75: queue file write error" {
		t.Errorf("%v", err)
	}
}
