package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// submissionsPort is where TLS begins with the connection (RFC 8314, section 3.3).
const submissionsPort = "465"

// submitter tells by mail that a server takes. Nothing goes there in the clear, unless the
// server is on loopback.
type submitter struct {
	config.SMTP
	host  string              // this one
	clear func(net.Conn) bool // whether a connection needs no TLS
	roots *x509.CertPool      // nil: the system's
}

func (s submitter) send(ctx context.Context, batch []letter) error {
	text, err := compose(s.From, s.To, s.host, batch)
	if err != nil {
		return err
	}
	if err := s.submit(ctx, text); err != nil {
		if ctx.Err() != nil {
			err = errors.New("no answer in time")
		}
		return errors.New(subprocess.Printable(s.hide().Replace(err.Error()))) // a text alone: the server may quote what it got
	}
	return nil
}

// hide takes the password out of what is said.
func (s submitter) hide() *strings.Replacer {
	password := string(s.Password.Reveal())
	if password == "" {
		return strings.NewReplacer()
	}
	const shown = "[hidden]"
	in := base64.StdEncoding.EncodeToString
	return strings.NewReplacer(in([]byte("\x00"+s.User+"\x00"+password)), shown, in([]byte(password)), shown, password, shown)
}

func (s submitter) submit(ctx context.Context, text []byte) error {
	conn, err := (&net.Dialer{Timeout: 15 * time.Second}).DialContext(ctx, "tcp", s.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // whatever it waits for
	c, err := s.greet(ctx, conn)
	if err != nil {
		return said(err)
	}
	defer c.Close()
	if err := s.login(c); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the sender " + s.From, func() error { return c.Mail(s.From) }},
		{"the recipient " + s.To, func() error { return c.Rcpt(s.To) }},
		{"the mail", func() error { return data(c, text) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("the server does not take %s: %w", step.what, said(err))
		}
	}
	_ = c.Quit() // it has taken the mail, whatever it says now
	return nil
}

// said is an answer of the server as it stands: quoted, a password in it could not be found.
func said(err error) error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("%d %s", answer.Code, answer.Msg)
	}
	return err
}

// greet begins the session, with TLS.
func (s submitter) greet(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	host, port, err := net.SplitHostPort(s.Server)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{ServerName: host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if port == submissionsPort {
		session := tls.Client(conn, secure)
		if err := session.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = session
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, err
	}
	if err := c.Hello(domain(s.host)); err != nil {
		return nil, err
	}
	if _, encrypted := c.TLSConnectionState(); encrypted || s.clear(conn) {
		return c, nil
	}
	if offered, _ := c.Extension("STARTTLS"); !offered {
		return nil, errors.New("no STARTTLS is offered, and nothing is sent in the clear (hint: take the port for submission, 587 or 465, or a server on loopback)")
	}
	return c, c.StartTLS(secure)
}

// loopback reports whether a connection stays on this host.
func loopback(conn net.Conn) bool {
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && peer.IP.IsLoopback()
}

// login says who we are, where a user is configured.
func (s submitter) login(c *smtp.Client) error {
	if s.User == "" {
		return nil
	}
	offered, ways := c.Extension("AUTH")
	if !offered {
		return errors.New("the server lets nobody log in (hint: take the port for submission, 587 or 465, or take user: out)")
	}
	a := &auth{s.User, string(s.Password.Reveal()), strings.Fields(ways)}
	err := c.Auth(a)
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("the server does not take the user and the password: %d", refused.Code) // what else it says may quote them
	}
	return err
}

// auth logs in with PLAIN (RFC 4616), or as servers do that know nothing but LOGIN. The
// session is encrypted, or with this host.
type auth struct {
	user, password string
	ways           []string
}

func (a *auth) Start(*smtp.ServerInfo) (proto string, toServer []byte, err error) {
	for _, way := range a.ways {
		if strings.EqualFold(way, "PLAIN") {
			return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
		}
	}
	for _, way := range a.ways {
		if strings.EqualFold(way, "LOGIN") {
			return "LOGIN", nil, nil
		}
	}
	return "", nil, fmt.Errorf("the server has one log in with %s, and here PLAIN and LOGIN are known", subprocess.Printable(strings.Join(a.ways, ", ")))
}

func (a *auth) Next(fromServer []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case bytes.HasPrefix(bytes.ToLower(fromServer), []byte("user")):
		return []byte(a.user), nil
	case bytes.HasPrefix(bytes.ToLower(fromServer), []byte("pass")):
		return []byte(a.password), nil
	}
	return nil, errors.New("the server asks for something else than user and password")
}

// data hands over a mail, in lines as they are on the wire.
func data(c *smtp.Client, text []byte) error {
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
		return err
	}
	return w.Close()
}
