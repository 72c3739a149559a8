package probe

import "strings"

// imapGreeting reads the greeting (RFC 9051, section 7.1): OK, PREAUTH or BYE.
func imapGreeting(s *session) error {
	return s.within(s.banner, "greeting", func() error {
		line, err := s.lines.next()
		if err != nil {
			return err
		}
		switch tag, status := imapStatus(line); {
		case tag == "*" && status == "OK":
			return nil
		case tag == "*" && status == "PREAUTH": // too late for STARTTLS, which comes before authentication
			return failed(NoSTARTTLS, "the server said %s", said(line))
		case tag == "*" && status == "BYE":
			return failed(Refused, "the server said %s", said(line))
		}
		return garbled("no IMAP greeting: %s", said(line))
	})
}

// imapStatus takes a response apart: its tag and, in capitals, the word after it.
func imapStatus(line string) (tag, status string) {
	tag, rest, _ := strings.Cut(line, " ")
	status, _, _ = strings.Cut(rest, " ")
	return tag, strings.ToUpper(status)
}

// imapStartTLS is RFC 9051, section 6.2.1. The capability is not asked for: a server
// that lacks it says so.
func imapStartTLS(s *session) error {
	return s.within(s.timeout, "STARTTLS", func() error {
		line, err := s.imapCommand("a", "STARTTLS")
		if err != nil {
			return err
		}
		switch _, status := imapStatus(line); status {
		case "OK":
			return nil
		case "NO", "BAD":
			return failed(NoSTARTTLS, "the server said %s", said(line))
		case "BYE":
			return failed(Refused, "the server said %s", said(line))
		}
		return garbled("no IMAP response: %s", said(line))
	})
}

func imapBye(s *session) error {
	return s.within(s.timeout, "LOGOUT", func() error {
		line, err := s.imapCommand("b", "LOGOUT")
		if err == nil && strings.HasPrefix(line, "*") { // BYE comes before the answer
			_, err = s.imapResponse("b")
		}
		return err
	})
}

func (s *session) imapCommand(tag, command string) (string, error) {
	if err := s.say(tag + " " + command); err != nil {
		return "", err
	}
	return s.imapResponse(tag)
}

// imapResponse reads up to the tagged response, or to the BYE that may come instead.
func (s *session) imapResponse(tag string) (string, error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return "", err
		}
		switch got, status := imapStatus(line); {
		case got == tag, got == "*" && status == "BYE":
			return line, nil
		case got != "*":
			return "", garbled("no IMAP response: %s", said(line))
		}
	}
}
