package manual

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// tellTimeout bounds one way of telling.
const tellTimeout = time.Minute

// Command tells by a program, an argument list, that gets the notice as JSON on standard
// input. Exit status 0 says that the person was told.
func Command(argv []string) Tell {
	return func(ctx context.Context, n Notice) error {
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		return run(ctx, argv, append(text, '\n'))
	}
}

// sendmails are where the local mail system's sendmail(8) is.
var sendmails = []string{"/usr/sbin/sendmail", "/usr/lib/sendmail"}

// Mail tells by mail through the local mail system. The time is when it is sent.
func Mail(to string, now func() time.Time) Tell { return mailer{to, now, sendmails}.tell }

type mailer struct {
	to       string
	now      func() time.Time
	programs []string // sendmail(8), the first that is there
}

func (m mailer) tell(ctx context.Context, n Notice) error {
	var why error
	for _, program := range m.programs {
		if _, err := subprocess.Find(program); err != nil {
			why = fmt.Errorf("no %s (hint: install a mail system that has it, or let tell: be a command)", m.programs[0])
			continue
		}
		text, err := m.compose(n)
		if err != nil {
			return err
		}
		return run(ctx, []string{program, "-t", "-i"}, text)
	}
	return why
}

// compose writes the mail (RFC 5322). The local mail system adds who it is from.
func (m mailer) compose(n Notice) ([]byte, error) {
	var body bytes.Buffer
	qp := quotedprintable.NewWriter(&body)
	if _, err := qp.Write([]byte(n.Text)); err != nil {
		return nil, err
	}
	if err := qp.Close(); err != nil {
		return nil, err
	}
	at := m.now().UTC()
	id := sha256.Sum256(append(at.AppendFormat(nil, time.RFC3339Nano), n.Text...))
	var out bytes.Buffer
	for _, h := range [][2]string{
		{"To", (&mail.Address{Address: m.to}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", subprocess.Printable("tlsaroll: "+n.Title()))},
		{"Date", at.Format(time.RFC1123Z)},
		{"Message-ID", "<" + hex.EncodeToString(id[:16]) + "@" + domain(n.Host) + ">"},
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

// run runs a command; the error says how it ended and what it said last.
func run(ctx context.Context, argv []string, stdin []byte) error {
	if len(argv) == 0 {
		return errors.New("an empty command")
	}
	program, err := subprocess.Find(argv[0])
	if err != nil {
		return fmt.Errorf("%s: %w", argv[0], err)
	}
	limited, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	output, err := subprocess.Command{Program: program, Argv: argv, Path: subprocess.Path, Stdin: stdin}.Run(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: stopped: %w", argv[0], ctx.Err())
	case limited.Err() != nil:
		return fmt.Errorf("%s: not done after %v, killed with all it started%s", argv[0], tellTimeout, subprocess.Quoted(output))
	}
	return fmt.Errorf("%s: %w%s", argv[0], err, subprocess.Quoted(output))
}
