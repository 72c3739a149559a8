package probe

import "strings"

func pop3Greeting(s *session) error {
	return s.within(s.banner, "greeting", func() error { return s.pop3Status(Refused) })
}

// pop3StartTLS is RFC 2595, section 4.
func pop3StartTLS(s *session) error { return s.pop3Command("STLS", NoSTARTTLS) }

func pop3Bye(s *session) error { return s.pop3Command("QUIT", Refused) }

func (s *session) pop3Command(command string, declined Outcome) error {
	return s.within(s.timeout, command, func() error {
		if err := s.say(command); err != nil {
			return err
		}
		return s.pop3Status(declined)
	})
}

// pop3Status reads a status indicator (RFC 1939, section 3); declined is what -ERR means.
func (s *session) pop3Status(declined Outcome) error {
	line, err := s.lines.next()
	if err != nil {
		return err
	}
	switch status, _, _ := strings.Cut(line, " "); strings.ToUpper(status) {
	case "+OK":
		return nil
	case "-ERR":
		return failed(declined, "the server said %s", said(line))
	}
	return garbled("no POP3 response: %s", said(line))
}
