package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// How long a server may take, by default.
const (
	DefaultTimeout = 15 * time.Second
	// DefaultBannerTimeout outlasts the 30 s for which a tarpit delays its banner.
	DefaultBannerTimeout = 35 * time.Second
)

// A Prober makes connections, one at a time to each address and port however many
// callers there are. Its zero value works; it must not be copied after first use.
type Prober struct {
	// Dial connects; nil is a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is for each step: to connect, to answer a command, to shake hands;
	// 0 is DefaultTimeout.
	Timeout time.Duration
	// BannerTimeout is for the greeting and the answer to EHLO, which tarpits delay;
	// 0 is DefaultBannerTimeout.
	BannerTimeout time.Duration
	// Hello is the name to give in EHLO: fully qualified, best one that resolves.
	// "" gives the local address as a literal, such as [192.0.2.25].
	Hello string
	// Now is the clock that greetings are timed by; nil: they are not.
	Now func() time.Time

	lanes lanes
}

// Probe makes one offer to one address of an endpoint, in a new session, and
// says what came of it. It never takes longer than a few timeouts. When ctx ends, the
// connection is closed; the result is Unreachable with the cause of that, unless the
// handshake was done by then.
//
// What a server means by turning down an offer of one algorithm cannot always
// be told from one connection: see [Prober.Address].
func (p *Prober) Probe(ctx context.Context, e Endpoint, addr netip.AddrPort, offer Offer) Result {
	r := Result{Address: addr, Offer: offer}
	err := p.probe(ctx, e, &r)
	r.Temporary = errors.As(err, new(deferred))
	if err == nil {
		r.Outcome = Served
		return r
	}
	if r.Outcome = outcomeOf(err); r.Outcome != NotOffered {
		r.Err = fmt.Errorf("%s at %s: %w", e, addr, err)
	}
	return r
}

func (p *Prober) probe(ctx context.Context, e Endpoint, r *Result) error {
	s, how, err := p.open(ctx, e, r.Address)
	if s != nil {
		r.Greeted, r.Spoke = s.greeted, s.spoke
	}
	if err != nil {
		return err
	}
	defer s.close()
	secure, err := s.handshake(e, r)
	if err != nil {
		return err
	}
	s.enter(secure)
	err = s.leave(how)
	_ = s.within(s.timeout, "close", secure.Close)
	return err
}

// open makes a session to the point where TLS is due. Until it is closed there is no
// other one to that address. With an error there is none to close: if it is given all the
// same, the server was there to greet.
func (p *Prober) open(ctx context.Context, e Endpoint, addr netip.AddrPort) (s *session, how scheme, err error) {
	how, ok := schemeOf(e.Scheme)
	if !ok {
		return nil, how, fmt.Errorf("unknown scheme %q (known: %s)", e.Scheme, schemeNames())
	}
	if strings.ContainsFunc(p.Hello, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return nil, how, fmt.Errorf("name for EHLO %q: not a host name", p.Hello)
	}
	leave, err := p.lanes.enter(ctx, addr)
	if err != nil {
		return nil, how, err
	}
	if s, err = p.connect(ctx, addr); err != nil {
		leave()
		return nil, how, err
	}
	s.left = leave
	if how.implicit {
		return s, how, nil
	}
	if err := s.negotiate(how.dialect); err != nil {
		s.close()
		return s, how, err
	}
	return s, how, nil
}

func (p *Prober) connect(ctx context.Context, addr netip.AddrPort) (*session, error) {
	s := &session{
		ctx:     ctx,
		hello:   p.Hello,
		timeout: cmp.Or(p.Timeout, DefaultTimeout),
		banner:  cmp.Or(p.BannerTimeout, DefaultBannerTimeout),
		now:     p.Now,
	}
	dial := p.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	short, cancel := context.WithTimeoutCause(ctx, s.timeout, noAnswer{s.timeout})
	defer cancel()
	conn, err := dial(short, "tcp", addr.String())
	if err != nil {
		if short.Err() != nil {
			err = context.Cause(short)
		}
		return nil, fmt.Errorf("connect: %w", plain(err))
	}
	s.raw, s.out, s.lines = conn, conn, newLines(conn)
	s.hello = cmp.Or(s.hello, literal(conn.LocalAddr()))
	return s, nil
}

// negotiate speaks in the clear, up to the go-ahead for TLS.
func (s *session) negotiate(d dialect) error {
	err := s.timed(d.greeting)
	if err == nil {
		err = d.startTLS(s)
	}
	if err == nil {
		err = s.clean()
	}
	if o := outcomeOf(err); err != nil && (o == Refused || o == NoSTARTTLS) {
		// It waits for a command still, even after a greeting of 554 (RFC 5321, section 3.1).
		_ = d.bye(s)
	}
	return err
}

// leave takes leave within TLS. The result is known by then, so only one thing
// counts: that the server breaks off TLS, as in TLS 1.3 its alert about the client
// certificate that it wants comes only now (RFC 8446, section 4.4.2.4).
func (s *session) leave(how scheme) error {
	first := how.dialect.resume
	if how.implicit {
		first = how.dialect.greeting
	}
	for _, step := range []func(*session) error{first, how.dialect.bye} {
		if step == nil {
			continue
		}
		if err := step(s); isAlert(err) {
			return &failure{HandshakeFailed, err}
		}
	}
	return nil
}
