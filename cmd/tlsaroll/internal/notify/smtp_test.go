package notify

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// mailServer speaks as much SMTP as a client of one mail needs.
type mailServer struct {
	starttls bool
	implicit bool   // TLS from the start
	auth     string // the ways that are offered; "": none
	refuse   string // the command that is refused
	silent   string // or not answered

	cert  tls.Certificate
	roots *x509.CertPool
	at    string

	mu    sync.Mutex
	heard []string // commands, and "TLS" where that begins
	mail  string
}

func (s *mailServer) start(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.cert, s.roots = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, x509.NewCertPool()
	s.roots.AddCert(leaf)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.at = l.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
}

// hear notes what a client does.
func (s *mailServer) hear(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, line)
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	encrypt := func() {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
		if secure.Handshake() == nil {
			s.hear("TLS")
		}
		conn, r = secure, bufio.NewReader(secure)
	}
	say := func(format string, args ...any) { fmt.Fprintf(conn, format+"\r\n", args...) }
	if s.implicit {
		encrypt()
	}
	say("220 mail.example.org ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		s.hear(line)
		switch {
		case verb == s.silent:
			r.ReadString('\n') // until the client has had enough
			return
		case verb == s.refuse:
			say("550 no such thing as %s", rest)
		case verb == "EHLO":
			fmt.Fprint(conn, "250-mail.example.org\r\n")
			if s.starttls {
				fmt.Fprint(conn, "250-STARTTLS\r\n")
			}
			if s.auth != "" {
				fmt.Fprintf(conn, "250-AUTH %s\r\n", s.auth)
			}
			say("250 HELP")
		case verb == "STARTTLS":
			say("220 go on")
			encrypt()
		case line == "AUTH LOGIN":
			for _, prompt := range []string{"Username:", "Password:"} {
				say("334 %s", base64.StdEncoding.EncodeToString([]byte(prompt)))
				answer, _ := r.ReadString('\n')
				s.hear(strings.TrimSpace(answer))
			}
			say("235 welcome")
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mu.Lock()
			s.mail = b.String()
			s.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// through is a way of telling through the server, as if it were on another host.
func (s *mailServer) through(user string) submitter {
	m := submitter{SMTP: config.SMTP{Server: s.at, From: "tlsaroll@example.org", To: "postmaster@example.org", User: user}, host: "mx.example.org", roots: s.roots,
		clear: func(net.Conn) bool { return false }}
	if user != "" {
		m.Password = config.NewSecret([]byte("geheim"))
	}
	return m
}

// dialogue is what the server heard.
func (s *mailServer) dialogue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard, "; ")
}

func TestMailThroughAServer(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00me\x00geheim"))
	word := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	const rest = "MAIL FROM:<tlsaroll@example.org>; RCPT TO:<postmaster@example.org>; DATA; QUIT"
	for name, test := range map[string]struct {
		server *mailServer
		user   string
		near   bool
		want   string
	}{
		"with STARTTLS":         {&mailServer{starttls: true}, "", false, "EHLO mx.example.org; STARTTLS; TLS; EHLO mx.example.org; " + rest},
		"and a password":        {&mailServer{starttls: true, auth: "LOGIN PLAIN"}, "me", false, "EHLO mx.example.org; STARTTLS; TLS; EHLO mx.example.org; AUTH PLAIN " + plain + "; " + rest},
		"which knows LOGIN":     {&mailServer{starttls: true, auth: "NTLM LOGIN"}, "me", false, "EHLO mx.example.org; STARTTLS; TLS; EHLO mx.example.org; AUTH LOGIN; " + word("me") + "; " + word("geheim") + "; " + rest},
		"on loopback":           {&mailServer{}, "", true, "EHLO mx.example.org; " + rest},
		"there with a password": {&mailServer{auth: "PLAIN", starttls: true}, "me", true, "EHLO mx.example.org; AUTH PLAIN " + plain + "; " + rest},
	} {
		t.Run(name, func(t *testing.T) {
			test.server.start(t)
			m := test.server.through(test.user)
			if test.near {
				m.clear = loopback
			}
			batch := letters(Appeared)
			batch[0].Message.Text = ".\n.. and a line that begins with a dot"
			if err := m.send(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(test.server.dialogue(), " BODY=8BITMIME", ""); got != test.want {
				t.Errorf("heard %s\nwant %s", got, test.want)
			}
			wrote, _ := compose("tlsaroll@example.org", "postmaster@example.org", "mx.example.org", batch)
			test.server.mu.Lock()
			defer test.server.mu.Unlock()
			if got := strings.ReplaceAll(test.server.mail, "\r\n", "\n"); got != string(wrote) || strings.Count(test.server.mail, "\r\n") != strings.Count(got, "\n") {
				t.Errorf("got %q\nwant %q", test.server.mail, wrote)
			}
			header, _, _ := received(t, wrote)
			if header.Get("From") != "<tlsaroll@example.org>" || header.Get("To") != "<postmaster@example.org>" {
				t.Errorf("header %v", header)
			}
		})
	}
}

// TestMailThroughAServerThatRefuses: what is said says what to do, and never the password;
// nothing goes in the clear.
func TestMailThroughAServerThatRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		server *mailServer
		user   string
		roots  bool // those of the system, which do not know the server
		want   string
	}{
		"no STARTTLS":         {&mailServer{auth: "PLAIN"}, "me", false, "no STARTTLS is offered, and nothing is sent in the clear (hint: take the port for submission, 587 or 465, or a server on loopback)"},
		"STARTTLS fails":      {&mailServer{starttls: true, refuse: "STARTTLS"}, "me", false, "550 no such thing as "},
		"another certificate": {&mailServer{starttls: true}, "", true, "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"nobody logs in":      {&mailServer{starttls: true}, "me", false, "the server lets nobody log in (hint: take the port for submission, 587 or 465, or take user: out)"},
		"no way known":        {&mailServer{starttls: true, auth: "NTLM"}, "me", false, "the server has one log in with NTLM, and here PLAIN and LOGIN are known"},
		"another password":    {&mailServer{starttls: true, auth: "PLAIN", refuse: "AUTH"}, "me", false, "the server does not take the user and the password: 550"},
		"sender":              {&mailServer{starttls: true, refuse: "MAIL"}, "", false, "the server does not take the sender tlsaroll@example.org: 550 no such thing as FROM:<tlsaroll@example.org>"},
		"recipient":           {&mailServer{starttls: true, refuse: "RCPT"}, "", false, "the server does not take the recipient postmaster@example.org: 550 no such thing as TO:<postmaster@example.org>"},
		"mail":                {&mailServer{starttls: true, refuse: "DATA"}, "", false, "the server does not take the mail: 550 no such thing as "},
		"hangs":               {&mailServer{starttls: true, silent: "RCPT"}, "", false, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.server.start(t)
			m := test.server.through(test.user)
			if test.roots {
				m.roots = nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err := m.send(ctx, letters(Appeared))
			if got := strings.TrimSuffix(errorText(err), " BODY=8BITMIME"); got != strings.TrimSpace(test.want) && got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			heard := test.server.dialogue()
			if before, _, _ := strings.Cut(heard, "TLS; "); strings.Contains(before, "AUTH") || strings.Contains(before, "MAIL") {
				t.Errorf("in the clear: %s", heard)
			}
			if strings.Contains(errorText(err), "geheim") || strings.Contains(errorText(err), base64.StdEncoding.EncodeToString([]byte("\x00me\x00geheim"))) {
				t.Errorf("shown: %v", err)
			}
		})
	}
}

func TestMailThroughNoServer(t *testing.T) {
	s := &mailServer{implicit: true}
	s.start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	m := s.through("")
	m.Server = l.Addr().String()
	if err := m.send(t.Context(), letters(Appeared)); !strings.HasSuffix(errorText(err), "connection refused") {
		t.Errorf("%v", err)
	}
}

// TestPasswordIsHidden in whatever form a server quotes it.
func TestPasswordIsHidden(t *testing.T) {
	m := (&mailServer{}).through("me")
	for _, quoted := range []string{"geheim", base64.StdEncoding.EncodeToString([]byte("geheim")), base64.StdEncoding.EncodeToString([]byte("\x00me\x00geheim"))} {
		if got := m.hide().Replace("no: " + quoted + "!"); got != "no: [hidden]!" {
			t.Errorf("%q", got)
		}
	}
	if got := (&mailServer{}).through("").hide().Replace("as it is"); got != "as it is" {
		t.Errorf("%q", got)
	}
}

// TestImplicitTLS is what the port for submissions has (RFC 8314, section 3.3).
func TestImplicitTLS(t *testing.T) {
	s := &mailServer{implicit: true}
	s.start(t)
	conn, err := net.Dial("tcp", s.at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m := s.through("")
	m.Server = "127.0.0.1:465"
	c, err := m.greet(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, encrypted := c.TLSConnectionState(); !encrypted {
		t.Error("in the clear")
	}
	c.Quit()
	if heard := s.dialogue(); !slices.Equal(strings.Split(heard, "; "), []string{"TLS", "EHLO mx.example.org", "QUIT"}) {
		t.Errorf("heard %s", heard)
	}
}
