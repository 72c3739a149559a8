package tlsrpt

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

const (
	maxDepth = 8   // of parts within parts
	maxParts = 200 // in all
)

// errNoReport is of a mail that is fine, and brings none.
var errNoReport = errors.New("a mail without a TLSRPT report attached")

// readMail reads the reports in a mail: multipart/report with one part that is the report
// (RFC 8460, section 5.3), or any other mail that has one attached, as when it was forwarded.
func readMail(content []byte, u *unpacker) ([]Report, error) {
	if bytes.HasPrefix(content, []byte("From ")) { // as mbox has before each mail
		_, content, _ = bytes.Cut(content, []byte("\n"))
		if bytes.Contains(content, []byte("\n\nFrom ")) || bytes.Contains(content, []byte("\r\n\r\nFrom ")) {
			return nil, errors.New("a mailbox of several mails (hint: save each as a file)")
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil || m.Header.Get("Content-Type") == "" && m.Header.Get("From") == "" {
		return nil, errors.New("neither a TLSRPT report, gzipped or not, nor a mail")
	}
	w := &walk{unpacker: u}
	if err := w.part(textproto.MIMEHeader(m.Header), m.Body, 0); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	switch {
	case w.found != nil:
		return w.found, nil
	case w.failed != nil:
		return nil, fmt.Errorf("mail: %w", w.failed)
	}
	return nil, errNoReport
}

// walk goes through the parts of a mail.
type walk struct {
	*unpacker
	found  []Report
	failed error // why the first part that may have been a report is none
	parts  int
}

func (w *walk) part(header textproto.MIMEHeader, body io.Reader, depth int) error {
	if w.parts++; depth > maxDepth || w.parts > maxParts {
		return errors.New("too many parts within parts")
	}
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain" // as RFC 2045, section 5.2 has it; the content tells
	}
	body = decoded(header.Get("Content-Transfer-Encoding"), body)
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		return w.multipart(multipart.NewReader(body, params["boundary"]), depth)
	case kind == "message/rfc822":
		m, err := mail.ReadMessage(body)
		if err != nil {
			return fmt.Errorf("the mail within: %w", err)
		}
		return w.part(textproto.MIMEHeader(m.Header), m.Body, depth+1)
	}
	content, err := io.ReadAll(body)
	declared := strings.HasPrefix(kind, "application/tlsrpt+")
	switch {
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
	case err == nil && !declared && len(bytes.TrimSpace(content)) == 0:
		return nil
	default: // the end of a mail that was cut off may be all that is missing
		var reports []Report
		reports, err = w.read(content)
		if declared && reports == nil && err == nil {
			err = errors.New("neither JSON nor gzip")
		}
		w.found = append(w.found, reports...)
	}
	if err != nil {
		err = fmt.Errorf("the part of type %s: %w", shown(kind), err)
	}
	if declared || errors.Is(err, errLarge) {
		return err
	}
	w.failed = cmp.Or(w.failed, err) // another attachment may be anything
	return nil
}

func (w *walk) multipart(parts *multipart.Reader, depth int) error {
	for {
		p, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF), err != nil && w.found != nil: // what comes after the report does not matter
			return nil
		case err != nil:
			return fmt.Errorf("its parts: %w", err)
		}
		if err := w.part(p.Header, p, depth+1); err != nil {
			return err
		}
	}
}

// decoded undoes a transfer encoding (RFC 2045, section 6).
func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &base64Text{r})
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

// base64Text leaves out what is no base64, as RFC 2045, section 6.8 wants: blanks at the
// ends of lines, mostly.
type base64Text struct{ r io.Reader }

func (b *base64Text) Read(p []byte) (int, error) {
	for {
		n, err := b.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=' {
				p[kept] = c
				kept++
			}
		}
		if kept > 0 || err != nil || n == 0 {
			return kept, err
		}
	}
}
