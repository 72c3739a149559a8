package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Plain connects to one address of an endpoint, and talks to the server up to the
// go-ahead for TLS: what is written next is the first octet of a ClientHello. It is for
// questions that crypto/tls does not ask.
//
// The connection is the only one to its address until it is closed, as are those of
// [Prober.Probe]; when ctx ends, it is closed. An error says what a [Result] would say.
func (p *Prober) Plain(ctx context.Context, e Endpoint, addr netip.AddrPort) (net.Conn, error) {
	s, _, err := p.open(ctx, e, addr)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", e, addr, err)
	}
	c := &plainConn{Conn: s.raw, left: s.left}
	c.stop = context.AfterFunc(ctx, func() { s.raw.Close() })
	return c, nil
}

// A plainConn lets the next connection to its address begin when it is closed.
type plainConn struct {
	net.Conn
	stop func() bool
	left func()
	once sync.Once
}

// Close ends the connection.
func (c *plainConn) Close() error {
	c.stop()
	err := c.Conn.Close()
	c.once.Do(c.left)
	return err
}
