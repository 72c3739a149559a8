package probe

import (
	"slices"
	"strconv"
	"strings"
)

// sieveGreeting reads the capabilities, which ManageSieve says unasked: as its greeting
// (RFC 5804, section 1.7) and again after STARTTLS (section 2.2).
func sieveGreeting(s *session) error {
	return s.within(s.banner, "greeting", func() error {
		capabilities, last, err := readSieve(s.lines)
		if err != nil {
			return err
		}
		if sieveStatus(last) != "OK" {
			return failed(Refused, "the server said %s", said(last))
		}
		s.capabilities = capabilities
		return nil
	})
}

func sieveStartTLS(s *session) error {
	return s.within(s.timeout, "STARTTLS", func() error {
		if !slices.ContainsFunc(s.capabilities, func(c string) bool { return strings.EqualFold(c, "STARTTLS") }) {
			return failed(NoSTARTTLS, "not offered (hint: is TLS on?)")
		}
		last, err := s.sieveCommand("STARTTLS")
		if err != nil {
			return err
		}
		switch sieveStatus(last) {
		case "NO":
			return failed(NoSTARTTLS, "the server said %s", said(last))
		case "BYE":
			return failed(Refused, "the server said %s", said(last))
		}
		return nil
	})
}

func sieveBye(s *session) error {
	return s.within(s.timeout, "LOGOUT", func() error {
		_, err := s.sieveCommand("LOGOUT")
		return err
	})
}

func (s *session) sieveCommand(command string) (last string, err error) {
	if err := s.say(command); err != nil {
		return "", err
	}
	_, last, err = readSieve(s.lines)
	return last, err
}

// readSieve reads a response: lines that begin with a string, of which it gives
// that string (where they are capabilities: the name), up to the line that begins
// with OK, NO or BYE, which it gives whole.
func readSieve(l *lines) (names []string, last string, err error) {
	for {
		line, name, err := sieveLine(l)
		switch {
		case err != nil:
			return nil, "", err
		case sieveStatus(line) != "":
			return names, line, nil
		case name == "":
			return nil, "", garbled("no ManageSieve response: %s", said(line))
		}
		names = append(names, name)
	}
}

// sieveStatus is OK, NO or BYE where a line begins with that word, else "".
func sieveStatus(line string) string {
	word := line
	if i := strings.IndexAny(line, " ("); i >= 0 {
		word = line[:i]
	}
	if word = strings.ToUpper(word); word == "OK" || word == "NO" || word == "BYE" {
		return word
	}
	return ""
}

// sieveLine reads a line, the literals in it included (RFC 5804, section 1.2), and
// the string that it begins with, "" where it begins with none.
func sieveLine(l *lines) (line, name string, err error) {
	for {
		part, err := l.next()
		if err != nil {
			return "", "", err
		}
		start := line == ""
		line += part
		n, ok := literalSize(part)
		if !ok {
			break
		}
		octets, err := l.octets(n)
		if err != nil {
			return "", "", err
		}
		if start && strings.HasPrefix(part, "{") {
			name = octets
		}
		line += "\r\n" + octets
	}
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		name, _, _ = strings.Cut(quoted, `"`)
	}
	return line, name, nil
}

// literalSize reads the {n} or {n+} at the end of a line that a literal follows.
func literalSize(line string) (n int, ok bool) {
	i := strings.LastIndexByte(line, '{')
	if i < 0 || !strings.HasSuffix(line, "}") {
		return 0, false
	}
	u, err := strconv.ParseUint(strings.TrimSuffix(line[i+1:len(line)-1], "+"), 10, 31)
	return int(u), err == nil
}
