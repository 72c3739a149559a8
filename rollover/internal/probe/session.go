package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// A session is one connection. Each step of it is bounded in time by within.
type session struct {
	ctx     context.Context
	raw     net.Conn  // what the network gave; closing it ends any step
	out     io.Writer // raw, then TLS
	lines   *lines    // what comes in by the same way
	hello   string    // name for EHLO
	timeout time.Duration
	banner  time.Duration
	now     func() time.Time // nil: nothing is timed
	greeted time.Duration    // how long the greeting took
	spoke   bool             // it greeted
	left    func()           // lets the next session to the address begin

	capabilities []string // of ManageSieve, which says them unasked
}

// close ends the session.
func (s *session) close() {
	s.raw.Close()
	s.left()
}

// within runs a step and says which one it was if it goes wrong. If it takes longer
// than d, or the caller gives up, the connection is closed, which ends the step.
func (s *session) within(d time.Duration, what string, step func() error) error {
	ctx, cancel := context.WithTimeoutCause(s.ctx, d, noAnswer{d})
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.raw.Close() })
	err := step()
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	return nil
}

// timed reads the greeting, and takes down that it came, and how long it took.
func (s *session) timed(greeting func(*session) error) error {
	var begun time.Time
	if s.now != nil {
		begun = s.now()
	}
	err := greeting(s)
	s.spoke = err == nil
	if s.spoke && s.now != nil {
		s.greeted = s.now().Sub(begun)
	}
	return err
}

// say sends a command. Nothing is ever sent before the reply to the last one
// was read whole: no pipelining before TLS (RFC 3207, section 4).
func (s *session) say(command string) error {
	_, err := io.WriteString(s.out, command+"\r\n")
	return err
}

// enter goes on in TLS.
func (s *session) enter(c *tls.Conn) {
	s.out = c
	s.lines = newLines(c)
}

// clean makes sure that nothing was put between the go-ahead and TLS: who takes it
// for the first words within TLS believes a stranger (CVE-2011-0411).
func (s *session) clean() error {
	n := s.lines.r.Buffered()
	if n == 0 {
		return nil
	}
	b, _ := s.lines.r.Peek(n)
	return garbled("%d octets between the go-ahead and TLS: %s", n, said(string(b)))
}

// literal is the host of a as it may stand in EHLO (RFC 5321, section 4.1.3). It is the
// name for who has none (section 2.3.5), and servers that want a name that resolves
// take it.
func literal(a net.Addr) string {
	var ip netip.Addr
	if t, ok := a.(*net.TCPAddr); ok {
		ip = t.AddrPort().Addr().Unmap().WithZone("")
	}
	switch {
	case !ip.IsValid(): // no socket
		return "[127.0.0.1]"
	case ip.Is6():
		return fmt.Sprintf("[IPv6:%s]", ip)
	}
	return fmt.Sprintf("[%s]", ip)
}
