package lookup

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// exchange sends m to server over network and returns the reply with its ID.
func exchange(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	// More room than is offered: a server that sends more is read, not lost.
	co := &dns.Conn{Conn: conn, UDPSize: dns.DefaultMsgSize}
	if err := co.WriteMsg(m); err != nil {
		return nil, cause(ctx, err)
	}
	for {
		r, err := co.ReadMsg()
		if err == nil && r.Id == m.Id {
			return r, nil
		}
		if err == nil {
			err = errors.New("a reply with another ID")
		}
		// Over UDP anyone can send a datagram with a forged source: what is
		// no reply to this question is not the end of waiting for it.
		if _, ended := errors.AsType[net.Error](err); ended || network == "tcp" {
			return nil, cause(ctx, err)
		}
	}
}

// cause prefers the end of ctx to the deadline that carried it out.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// noRoute reports whether err says that this host has no route or no source
// address for the server's address family.
func noRoute(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
