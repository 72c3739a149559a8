package manual

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program writes a program that a way of telling runs.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	syscall.ForkLock.RLock() // what is forked while the file is open would keep it busy
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func notice() Notice {
	n := Notice{Version: 1, Provider: "registrar", Host: "mx1.example.org", Zone: "example.org."}
	n.Changes = []Change{{Owner: "_25._tcp.mx1.example.org.", Add: []string{"_25._tcp.mx1.example.org. 3600 IN TLSA 3 0 0 " + strings.Repeat("ab", 1000)}, Remove: []string{}, Urgent: true}}
	n.Text = n.text()
	return n
}

func TestCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	tell := Command([]string{"/bin/sh", program(t, `{ echo "$*"; cat; } >"$1"`), out, "a b"})
	if err := tell(t.Context(), notice()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(text), out+" a b\n{\"version\":1,") || !strings.HasSuffix(string(text), "}\n") {
		t.Errorf("got %s, %v", text, err)
	}
	for want, argv := range map[string][]string{
		"an empty command":                                nil,
		"/no/such: no such file or directory":             {"/no/such"},
		"/bin/sh: exit status 3: nobody is there":         {"/bin/sh", program(t, "echo nobody is there >&2; exit 3")},
		"no-such-program: not found in /usr/local/sbin:/": {"no-such-program"},
	} {
		if err := Command(argv)(t.Context(), notice()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Command([]string{"/bin/sleep", "60"})(ctx, notice()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

func TestMail(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := mailer{"hostmaster@example.org", func() time.Time { return at }, []string{"/no/sendmail", program(t, `{ echo "X-Args: $*"; cat; } >"`+out+`"`)}}
	n := notice()
	if err := m.tell(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	msg, err := mail.ReadMessage(file)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != "tlsaroll: zone example.org: 1 record to add" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"X-Args": "-t -i", "To": "<hostmaster@example.org>", "Date": "Sun, 01 Mar 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if id := msg.Header.Get("Message-ID"); !strings.HasSuffix(id, "@mx1.example.org>") {
		t.Errorf("Message-ID %q", id)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	if err != nil || string(body) != n.Text {
		t.Errorf("the body is %s, %v", body, err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if len(l) > 999 || strings.Contains(l, "\r") {
			t.Errorf("a line of %d octets: %.40q", len(l), l)
		}
	}
	m.programs = []string{"/no/sendmail", "/no/other"}
	if err := m.tell(t.Context(), n); err == nil || err.Error() != "no /no/sendmail (hint: install a mail system that has it, or let tell: be a command)" {
		t.Errorf("error is %v", err)
	}
	for host, want := range map[string]string{"": "localhost", "mx1": "mx1", "a b": "localhost", "a..b": "localhost", "mx1.": "localhost"} {
		if got := domain(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}
