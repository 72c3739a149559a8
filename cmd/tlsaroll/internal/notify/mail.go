package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// maxMail is how many messages go into one mail: whatever comes together.
const maxMail = 50

// sendmails are where the local mail system's sendmail(8) is.
var sendmails = []string{"/usr/sbin/sendmail", "/usr/lib/sendmail"}

// mailer tells through the local mail system.
type mailer struct {
	to, host string
	run      run
	programs []string // sendmail(8), the first that is there
}

func (m mailer) send(ctx context.Context, batch []letter) error {
	program, err := m.program()
	if err != nil {
		return err
	}
	text, err := m.compose(batch)
	if err != nil {
		return err
	}
	return m.run.quoting(ctx, []string{program, "-t", "-i"}, text)
}

func (m mailer) program() (string, error) {
	for _, p := range m.programs {
		if unix.Access(p, unix.X_OK) == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("no %s (hint: install a mail system that has it, or let notify: run a command)", m.programs[0])
}

// compose writes the mail. The local mail system adds who it is from.
func (m mailer) compose(batch []letter) ([]byte, error) { return compose("", m.to, m.host, batch) }

// compose writes a mail (RFC 5322). One that is sent again, as after a crash, has the same
// Message-ID.
func compose(from, to, host string, batch []letter) ([]byte, error) {
	var body bytes.Buffer
	qp := quotedprintable.NewWriter(&body)
	hash := sha256.New()
	for _, l := range batch {
		line, err := l.Message.line()
		if err != nil {
			return nil, err
		}
		hash.Write(l.At.UTC().AppendFormat(nil, time.RFC3339Nano))
		hash.Write(line)
		fmt.Fprintln(qp, l.paragraphs())
	}
	fmt.Fprintf(qp, "tlsaroll status on %s shows where everything stands.\n", host)
	if err := qp.Close(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if from != "" {
		fmt.Fprintf(&out, "From: %s\n", &mail.Address{Address: from})
	}
	for _, h := range [][2]string{
		{"To", (&mail.Address{Address: to}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", subject(batch, host))},
		{"Date", batch[len(batch)-1].At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + hex.EncodeToString(hash.Sum(nil)[:16]) + "@" + domain(host) + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834, section 5
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&out, "%s: %s\n", h[0], h[1])
	}
	out.WriteByte('\n')
	out.Write(bytes.ReplaceAll(body.Bytes(), []byte("\r\n"), []byte("\n"))) // sendmail(8) reads lines of this host
	return out.Bytes(), nil
}

// subject says what one mail is about.
func subject(batch []letter, host string) string {
	m := batch[0].Message
	if len(batch) == 1 {
		return subprocess.Printable(fmt.Sprintf("tlsaroll on %s: %s", host, m.title()))
	}
	count := map[Event]int{}
	for _, l := range batch {
		count[l.Message.Event]++
	}
	var parts []string
	for _, e := range []Event{Appeared, Changed, Reminder, Cleared, InService, Trial} {
		if n := count[e]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[e]))
		}
	}
	return subprocess.Printable(fmt.Sprintf("tlsaroll on %s: %s", host, strings.Join(parts, ", ")))
}

// words are the events as people say them.
var words = map[Event]string{Appeared: "new", Changed: "worse", Reminder: "still there", Cleared: "cleared", InService: "in service", Trial: "test"}

// title is a message in a few words.
func (m Message) title() string {
	var parts []string
	switch m.Event {
	case InService:
		parts = []string{m.Lineage, m.About}
	case Trial:
		return words[m.Event]
	case Appeared, Changed, Reminder, Cleared:
		if m.Lineage != "" {
			parts = append(parts, m.Lineage)
		}
		parts = append(parts, string(m.Severity), string(m.Code))
	}
	return words[m.Event] + ": " + strings.Join(parts, " ")
}

// paragraphs are a letter's message in whole, with times as its readers have them.
func (l letter) paragraphs() string { return rollover.ForPeople(l.Message.paragraphs(), l.At) }

// paragraphs are a message in whole.
func (m Message) paragraphs() string {
	var b strings.Builder
	title := m.title()
	if m.About != "" && m.Event != InService {
		title += ", " + m.About
	}
	fmt.Fprintf(&b, "%s\n  since %s\n  %s\n", subprocess.Printable(title), rollover.Stamp(m.Since), subprocess.Printable(m.Text))
	if m.Fix != "" && m.Event != Cleared {
		fmt.Fprintf(&b, "  What to do: %s\n", subprocess.Printable(m.Fix))
	}
	return b.String()
}

// domain is the host's name, if that may stand in a Message-ID as it is.
func domain(host string) string {
	odd := func(r rune) bool {
		return r != '.' && r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}
	if host == "" || strings.Trim(host, ".") != host || strings.Contains(host, "..") || strings.ContainsFunc(host, odd) {
		return "localhost"
	}
	return host
}
