package probe

import (
	"fmt"
	"strings"
)

// A reply is an SMTP reply (RFC 5321, section 4.2).
type reply struct {
	code int
	text []string // one a line, without code
}

func (r reply) String() string { return said(fmt.Sprintf("%03d %s", r.code, r.text[len(r.text)-1])) }

func (r reply) temporary() bool { return r.code/100 == 4 }
func (r reply) permanent() bool { return r.code/100 == 5 }

// readReply reads a reply of any number of lines. The code of the last counts.
func readReply(l *lines) (reply, error) {
	var r reply
	for {
		line, err := l.next()
		if err != nil {
			return reply{}, err
		}
		if len(line) < 3 || !digits(line[:3]) || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return reply{}, garbled("no SMTP reply: %s", said(line))
		}
		r.code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
		r.text = append(r.text, line[min(4, len(line)):])
		if len(line) == 3 || line[3] == ' ' {
			return r, nil
		}
	}
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// keyword reports whether the answer to EHLO names an extension; its first line
// is the server's name (RFC 5321, section 4.1.1.1).
func (r reply) keyword(name string) bool {
	for _, line := range r.text[1:] {
		if word, _, _ := strings.Cut(line, " "); strings.EqualFold(word, name) {
			return true
		}
	}
	return false
}

func smtpGreeting(s *session) error {
	return s.within(s.banner, "greeting", func() error {
		r, err := readReply(s.lines)
		switch {
		case err != nil:
			return err
		case r.temporary() || r.permanent():
			return failed(Refused, "the server said %s", r)
		case r.code != 220:
			return garbled("the server said %s, not 220", r)
		}
		return nil
	})
}

// smtpHello is for before TLS and after it (RFC 3207, section 4.2).
func smtpHello(s *session) error {
	_, err := s.ehlo()
	return err
}

func (s *session) ehlo() (r reply, err error) {
	err = s.within(s.banner, "EHLO", func() error {
		r, err = s.smtpCommand("EHLO " + s.hello)
		switch {
		case err != nil:
			return err
		case r.code == 500 || r.code == 502: // not implemented (RFC 5321, section 4.2.4): no extensions
			return failed(NoSTARTTLS, "the server said %s", r)
		case r.temporary() || r.permanent():
			return failed(Refused, "the server said %s (hint: does it dislike the name %s?)", r, s.hello)
		case r.code != 250:
			return garbled("the server said %s, not 250", r)
		}
		return nil
	})
	return r, err
}

// smtpStartTLS is RFC 3207, section 4.
func smtpStartTLS(s *session) error {
	extensions, err := s.ehlo()
	if err != nil {
		return err
	}
	return s.within(s.timeout, "STARTTLS", func() error {
		if !extensions.keyword("STARTTLS") {
			return failed(NoSTARTTLS, "not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)")
		}
		r, err := s.smtpCommand("STARTTLS")
		switch {
		case err != nil:
			return err
		case r.code == 454:
			return &failure{NoSTARTTLS, deferred{r}}
		case r.permanent():
			return failed(NoSTARTTLS, "the server said %s", r)
		case r.temporary():
			return failed(Refused, "the server said %s", r)
		case r.code != 220:
			return garbled("the server said %s, not 220", r)
		}
		return nil
	})
}

func smtpBye(s *session) error {
	return s.within(s.timeout, "QUIT", func() error {
		_, err := s.smtpCommand("QUIT")
		return err
	})
}

func (s *session) smtpCommand(command string) (reply, error) {
	if err := s.say(command); err != nil {
		return reply{}, err
	}
	return readReply(s.lines)
}
