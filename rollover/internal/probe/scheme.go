package probe

import "strings"

// A scheme is one way in which a port starts TLS.
type scheme struct {
	name     string
	port     uint16 // by default; 0: there is none
	implicit bool   // TLS from the first octet on; else STARTTLS
	dialect  dialect
}

// A dialect is a protocol as far as a probe speaks it. A nil step has nothing to say.
type dialect struct {
	greeting func(*session) error // reads what the server says first
	startTLS func(*session) error // up to the go-ahead for TLS, after the greeting
	resume   func(*session) error // what comes first after STARTTLS and the handshake
	bye      func(*session) error // takes leave, in the clear or in TLS
}

// schemes gives the schemes in the order in which people know them. Ports: RFC 3207
// and 6409 (SMTP), RFC 8314 (submissions), RFC 9051 (IMAP), RFC 1939 and 2595
// (POP3), RFC 5804 (ManageSieve).
func schemes() []scheme {
	smtp := dialect{smtpGreeting, smtpStartTLS, smtpHello, smtpBye}
	imap := dialect{imapGreeting, imapStartTLS, nil, imapBye}
	pop3 := dialect{pop3Greeting, pop3StartTLS, nil, pop3Bye}
	sieve := dialect{sieveGreeting, sieveStartTLS, sieveGreeting, sieveBye}
	return []scheme{
		{"smtp", 25, false, smtp},
		{"submission", 587, false, smtp},
		{"submissions", 465, true, smtp},
		{"imap", 143, false, imap},
		{"imaps", 993, true, imap},
		{"pop3", 110, false, pop3},
		{"pop3s", 995, true, pop3},
		{"sieve", 4190, false, sieve},
		{"tls", 0, true, dialect{}},
	}
}

func schemeOf(name string) (scheme, bool) {
	for _, s := range schemes() {
		if s.name == name {
			return s, true
		}
	}
	return scheme{}, false
}

func schemeNames() string {
	var names []string
	for _, s := range schemes() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}
