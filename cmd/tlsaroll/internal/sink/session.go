package sink

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The most that is read of a sender: octets of a command (RFC 5321, section 4.5.3.1.4, with
// room for extensions), and of a mail, which is a few lines and what others wrote above; and
// what is remembered of its name (section 4.5.3.1.2).
const (
	maxLine = 2048
	maxMail = 64 << 10
	maxName = 255
)

// A session is SMTP (RFC 5321) with STARTTLS (RFC 3207), as far as a mail that is thrown away goes.
type session struct {
	Visit
	sink  *Sink
	conn  net.Conn
	lines *bufio.Reader
	mail  *envelope // nil: no MAIL command yet
}

// An envelope is the recipients of one mail, by their domains.
type envelope struct{ domains []string }

func newSession(s *Sink, conn net.Conn, v Visit) *session {
	return &session{Visit: v, sink: s, conn: conn, lines: bufio.NewReaderSize(conn, maxLine)}
}

// errDone ends a session in good order.
var errDone = errors.New("done")

// serve returns when the session is over, however it ends: that is the sender's affair.
func (s *session) serve() {
	if s.reply("220 %s ESMTP", s.sink.cfg.Name) != nil {
		return
	}
	for {
		line, err := s.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = s.reply("500 5.5.2 line too long")
			return
		}
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		if s.command(strings.ToUpper(verb), strings.TrimSpace(rest)) != nil {
			return
		}
	}
}

func (s *session) command(verb, rest string) error {
	switch verb {
	case "EHLO", "HELO":
		return s.hello(verb, rest)
	case "STARTTLS":
		return s.startTLS(rest)
	case "MAIL":
		return s.from(rest)
	case "RCPT":
		return s.to(rest)
	case "DATA":
		return s.data()
	case "RSET":
		s.mail = nil
		return s.reply("250 2.0.0 ok")
	case "NOOP":
		return s.reply("250 2.0.0 ok")
	case "QUIT":
		_ = s.reply("221 2.0.0 bye")
		return errDone
	}
	return s.reply("502 5.5.1 no such command here")
}

func (s *session) reply(format string, args ...any) error {
	_, err := fmt.Fprintf(s.conn, format+"\r\n", args...)
	return err
}

func (s *session) secure() bool {
	_, secure := s.conn.(*tls.Conn)
	return secure
}

func (s *session) hello(verb, name string) error {
	s.mail = nil
	if name == "" {
		return s.reply("501 5.5.4 who are you?")
	}
	s.Hello = subprocess.Printable(name[:min(len(name), maxName)])
	if verb == "HELO" {
		return s.reply("250 %s", s.sink.cfg.Name)
	}
	lines := []string{s.sink.cfg.Name, fmt.Sprintf("SIZE %d", maxMail), "8BITMIME", "ENHANCEDSTATUSCODES"}
	if s.Alone == "" && !s.secure() {
		lines = append(lines, "STARTTLS")
	}
	for _, line := range lines[:len(lines)-1] {
		if err := s.reply("250-%s", line); err != nil {
			return err
		}
	}
	return s.reply("250 %s", lines[len(lines)-1])
}

// startTLS begins TLS. What came in the clear behind the command is not read in it (RFC 3207,
// section 6).
func (s *session) startTLS(rest string) error {
	switch {
	case s.Alone != "" || s.secure():
		return s.reply("502 5.5.1 no such command here")
	case rest != "":
		return s.reply("501 5.5.4 no parameters are allowed")
	case s.lines.Buffered() > 0:
		return s.reply("501 5.5.1 nothing may follow before the reply")
	}
	if err := s.reply("220 2.0.0 go ahead"); err != nil {
		return err
	}
	over := tls.Server(s.conn, &tls.Config{
		Certificates:           []tls.Certificate{s.sink.cfg.Certificate},
		MinVersion:             tls.VersionTLS10, // what a sender takes is to be seen
		SessionTicketsDisabled: true,             // each visit shows its certificate
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			s.SNI, _ = tlsa.CanonicalHost(h.ServerName) // none, or nothing that is a name: ""
			return nil, nil
		},
	})
	if err := over.Handshake(); err != nil {
		s.Failure = subprocess.Printable(err.Error())
		return err
	}
	s.TLS = over.ConnectionState().Version
	s.conn, s.lines, s.mail = over, bufio.NewReaderSize(over, maxLine), nil
	return nil
}

func (s *session) from(rest string) error {
	switch _, ok := path(rest, "FROM:"); {
	case s.Hello == "":
		return s.reply("503 5.5.1 who are you?")
	case s.mail != nil:
		return s.reply("503 5.5.1 one mail after the other")
	case !ok:
		return s.reply("501 5.5.4 MAIL FROM:<address>")
	}
	s.mail = &envelope{}
	return s.reply("250 2.1.0 ok")
}

func (s *session) to(rest string) error {
	address, ok := path(rest, "TO:")
	switch {
	case s.mail == nil:
		return s.reply("503 5.5.1 MAIL first")
	case !ok:
		return s.reply("501 5.5.4 RCPT TO:<address>")
	}
	local, domain := address, ""
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		local, domain = address[:i], strings.ToLower(strings.TrimSuffix(address[i+1:], "."))
	}
	switch c, w := s.sink.recipient(local, domain); w {
	case early:
		s.Later = add(s.Later, c.Domain)
		return s.reply("451 4.3.2 not yet: its turn comes")
	case expected:
		s.mail.domains = add(s.mail.domains, c.Domain)
		s.Recipients = add(s.Recipients, c.Domain)
		return s.reply("250 2.1.5 ok")
	case stranger:
	}
	s.Strangers++
	return s.reply("550 5.7.1 no such recipient here, and nothing is relayed")
}

// path finds the address of a MAIL or RCPT command (RFC 5321, section 4.1.2).
func path(rest, word string) (address string, ok bool) {
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimSpace(rest[len(word):]), "<")
	if !ok {
		return "", false
	}
	address, _, ok = strings.Cut(rest, ">")
	return address, ok
}

func add(domains []string, domain string) []string {
	if slices.Contains(domains, domain) {
		return domains
	}
	return append(domains, domain)
}

// data takes a mail and throws it away.
func (s *session) data() error {
	if s.mail == nil || len(s.mail.domains) == 0 {
		return s.reply("503 5.5.1 RCPT first")
	}
	if err := s.reply("354 go ahead, it is thrown away"); err != nil {
		return err
	}
	if err := s.discard(); err != nil {
		return err
	}
	for _, d := range s.mail.domains {
		s.Delivered = add(s.Delivered, d)
		if !s.secure() {
			s.InClear = add(s.InClear, d)
		}
	}
	s.mail = nil
	s.sink.cfg.Seen(s.Visit.clone())
	return s.reply("250 2.0.0 thrown away, as it should be")
}

// discard reads to the line with a dot alone. Only CR LF ends a line (RFC 5321, section 2.3.8).
func (s *session) discard() error {
	const begin, end = "\r\n", "\r\n.\r\n"
	last, size := begin, 0
	for {
		part, err := s.lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if last += string(part); strings.HasSuffix(last, end) {
			return nil
		}
		last = last[max(0, len(last)-len(end)+1):]
		if size += len(part); size > maxMail {
			_ = s.reply("552 5.3.4 too much")
			return errDone
		}
	}
}
