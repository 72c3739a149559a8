package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	udpSize  = 1232 // octets: fits every path without fragments (DNS flag day 2020)
	udpTries = 3
	tcpTries = 2 // after a truncated answer; the server is known to be there
)

// A question is what one message asks.
type question struct {
	name      string
	qtype     uint16
	recurse   bool // RD=1: asked of a resolver
	unchecked bool // CD=1: without validation
}

func (q question) String() string { return q.name + " " + typeName(q.qtype) }

func typeName(t uint16) string { return dns.Type(t).String() }

func (q question) message() *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	m.RecursionDesired = q.recurse
	m.AuthenticatedData = q.recurse // RFC 6840, section 5.7
	m.CheckingDisabled = q.unchecked
	return m.SetEdns0(udpSize, true)
}

// answered reports why r is no reply to q.
func (q question) answered(r *dns.Msg) error {
	switch {
	case r == nil:
		return errors.New("no message")
	case !r.Response || r.Opcode != dns.OpcodeQuery:
		return errors.New("a message that is no reply")
	case len(r.Question) == 0 && r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError:
		return nil // an error, as short as FORMERR may be
	case len(r.Question) != 1 || r.Question[0].Qtype != q.qtype || r.Question[0].Qclass != dns.ClassINET ||
		!strings.EqualFold(r.Question[0].Name, q.name):
		return errors.New("a reply to another question")
	}
	return nil
}

// A reply is what a server answered, and how it could be had.
type reply struct {
	*dns.Msg
	udpLost bool // UDP stayed without an answer, TCP got one
}

// ask puts q to server: three tries over UDP, then TCP; TCP at once if the answer
// is truncated (RFC 7766, section 5). Its errors are a *problem, or ctx's.
func (c *Client) ask(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	var last error
	for try := range udpTries {
		r, err := c.try(ctx, server, q, "udp")
		if err == nil && r.Truncated {
			return c.askTCP(ctx, server, q)
		}
		if err == nil {
			return reply{Msg: r}, nil
		}
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		if noRoute(err) {
			return reply{}, &problem{FaultNoRoute, fmt.Sprintf("no route to an %s address from this host: %s", family(server.Addr()), err)}
		}
		last = err
		// A try that failed at once is spaced from the next; one that timed out was long enough.
		if err := pause(ctx, err, c.cfg.Timeout/4<<try); err != nil {
			return reply{}, err
		}
	}
	r, err := c.try(ctx, server, q, "tcp")
	if ctx.Err() != nil {
		return reply{}, ctx.Err()
	}
	if err != nil || r.Truncated {
		return reply{}, &problem{FaultSilent, fmt.Sprintf("no answer: %d tries over UDP (%s), then TCP (%s)", udpTries, brief(last), brief(err))}
	}
	return reply{Msg: r, udpLost: true}, nil
}

// askTCP asks again what came truncated over UDP.
func (c *Client) askTCP(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	var last error
	for range tcpTries {
		r, err := c.try(ctx, server, q, "tcp")
		switch {
		case ctx.Err() != nil:
			return reply{}, ctx.Err()
		case err == nil && r.Truncated:
			return reply{}, &problem{FaultMalformed, "the answer is truncated over TCP"}
		case err == nil:
			return reply{Msg: r}, nil
		}
		last = err
		if err := pause(ctx, err, c.cfg.Timeout/4); err != nil {
			return reply{}, err
		}
	}
	return reply{}, &problem{FaultMalformed, fmt.Sprintf("the answer is truncated over UDP, and over TCP there is none: %s (hint: let TCP port %d through)", brief(last), server.Port())}
}

func (c *Client) try(ctx context.Context, server netip.AddrPort, q question, network string) (*dns.Msg, error) {
	timeout := c.cfg.Timeout
	if network == "tcp" {
		timeout = timeout * 5 / 2
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := c.cfg.Exchange(ctx, q.message(), network, server)
	if err != nil {
		return nil, err
	}
	if err := q.answered(r); err != nil {
		return nil, err
	}
	return r, nil
}

// pause waits d between two tries, unless the failed one took its whole time.
func pause(ctx context.Context, failed error, d time.Duration) error {
	if isTimeout(failed) {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// brief says the cause of a failed exchange without the addresses that the net
// package puts before it.
func brief(err error) string {
	if isTimeout(err) {
		return "timeout"
	}
	if err == nil {
		return "truncated"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func family(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "IPv4"
	}
	return "IPv6"
}
