package lab

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An MX says what a mail server does that is not Postfix: what Postfix cannot be
// configured to do, and what would take one Postfix each.
type MX struct {
	// Pairs are presented whatever name the client asks for: the first that its key
	// algorithms allow.
	Pairs []*Pair
	// ByName are presented to who asks for one of these names by SNI, instead of Pairs.
	ByName map[string]*Pair
	// WithoutName is presented to who names none, instead of Pairs.
	WithoutName *Pair
	// WantsName has the server refuse who names none.
	WantsName bool

	STARTTLS STARTTLS
	// Greets is how long it takes to greet its first client; later ones it greets at once, as
	// those do that only make strangers wait.
	Greets time.Duration
	// Oldest and Newest are the versions of TLS that it takes, as in crypto/tls; 0: TLS
	// 1.2 and 1.3.
	Oldest, Newest uint16
}

// STARTTLS is what a mail server makes of that command.
type STARTTLS string

// What it may make of it.
const (
	Offered   STARTTLS = ""             // it says so, and does it
	Concealed STARTTLS = "concealed"    // it does not say so, and knows no such command
	PutOff    STARTTLS = "not now"      // it says so, and answers 454 (RFC 3207, section 4)
	Hollow    STARTTLS = "no handshake" // it says 220, and hangs up
)

// ServeMX starts a mail server on port 25 of an address of its own; it ends with the test.
func (l *Lab) ServeMX(t testing.TB, mx MX) netip.Addr {
	t.Helper()
	at, err := l.block.spare()
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	l.ServeMXAt(t, at, mx)
	return at
}

// SpareIPv6 is an address of IPv6 that the loopback interface has until the lab ends. It fails
// where the machine has no IPv6.
func (l *Lab) SpareIPv6(ctx context.Context) (netip.Addr, error) { return l.block.spare6(ctx) }

// ServeMXAt is [Lab.ServeMX] on an address that the test chose.
func (l *Lab) ServeMXAt(t testing.TB, at netip.Addr, mx MX) {
	t.Helper()
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, 25).String())
	if err != nil {
		t.Fatalf("lab: mail server: %v", err)
	}
	config := mx.config()
	var clients atomic.Int64
	serveSessions(t, listener, func(ctx context.Context, conn net.Conn) {
		if clients.Add(1) == 1 && !lasts(ctx, mx.Greets) {
			return
		}
		_ = mx.serve(ctx, conn, config) // what a client makes of it is its affair
	})
}

// config is what the server agrees to, and presents.
func (mx MX) config() *tls.Config {
	common := tls.Config{MinVersion: mx.Oldest, MaxVersion: mx.Newest, SessionTicketsDisabled: true}
	if mx.Oldest == 0 {
		common.MinVersion = tls.VersionTLS12
	}
	with := func(pairs ...*Pair) *tls.Config {
		var chains []tls.Certificate
		for _, p := range pairs {
			chains = append(chains, p.certificate())
		}
		c := common.Clone()
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return fitting(hello, chains), nil }
		return c
	}
	all, nameless, named := with(mx.Pairs...), (*tls.Config)(nil), map[string]*tls.Config{}
	if mx.WithoutName != nil {
		nameless = with(mx.WithoutName)
	}
	for name, p := range mx.ByName {
		named[name] = with(p)
	}
	all.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName == "" && mx.WantsName {
			return nil, errors.New("no name")
		}
		if hello.ServerName == "" {
			return nameless, nil // nil: all
		}
		return named[strings.ToLower(hello.ServerName)], nil
	}
	return all
}

// fitting is the first chain that the client's algorithms allow, whatever name it is for.
// Where none is, the first of all makes crypto/tls say what other servers do.
func fitting(hello *tls.ClientHelloInfo, chains []tls.Certificate) *tls.Certificate {
	anyName := *hello
	anyName.ServerName = ""
	for i := range chains {
		if anyName.SupportsCertificate(&chains[i]) == nil {
			return &chains[i]
		}
	}
	return &chains[0]
}

// certificate is the pair as crypto/tls has it.
func (p *Pair) certificate() tls.Certificate {
	c := tls.Certificate{PrivateKey: p.Key, Leaf: p.Leaf()}
	for _, cert := range p.Certificates {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c
}

// lasts waits, and says whether the context lasted as long.
func lasts(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// serve is one session, which takes no mail.
func (mx MX) serve(ctx context.Context, conn net.Conn, config *tls.Config) error {
	const name = "mx.lab"
	lines := bufio.NewReader(conn)
	io.WriteString(conn, "220 "+name+" ESMTP\r\n")
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return err
		}
		_, secure := conn.(*tls.Conn)
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(string(line))), " ")
		offers := !secure && mx.STARTTLS != Concealed
		answer := "502 5.5.1 not here"
		switch {
		case verb == "EHLO" && offers:
			answer = "250-" + name + "\r\n250 STARTTLS"
		case verb == "EHLO", verb == "HELO", verb == "RSET", verb == "NOOP":
			answer = "250 " + name
		case verb == "STARTTLS" && offers && mx.STARTTLS == PutOff:
			answer = "454 4.7.0 TLS not available due to temporary reason"
		case verb == "STARTTLS" && offers:
			answer = "220 2.0.0 go ahead"
		case verb == "QUIT":
			answer = "221 2.0.0 bye"
		}
		if _, err := io.WriteString(conn, answer+"\r\n"); err != nil || verb == "QUIT" {
			return err
		}
		if verb != "STARTTLS" || answer[0] != '2' {
			continue
		}
		if mx.STARTTLS == Hollow {
			return errors.New("hung up")
		}
		over := tls.Server(conn, config)
		if err := over.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		conn, lines = over, bufio.NewReader(over)
	}
}
