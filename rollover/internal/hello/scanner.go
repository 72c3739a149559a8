package hello

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// A Scanner asks one server after the other.
type Scanner struct {
	// Prober makes the connections, one at a time to each address.
	Prober *probe.Prober
	// Timeout is for an answer to a ClientHello; 0 is [probe.DefaultTimeout].
	Timeout time.Duration
	// Most is how many connections one look may take; 0 is [DefaultMost].
	Most int
}

// DefaultMost is enough for a server that takes every cipher suite.
const DefaultMost = 300

// A Result is what a server agrees to. Its fields are those of audit.TLS, where they are
// explained; suites and their order are those of the newest version before TLS 1.3, and of
// TLS 1.3.
type Result struct {
	Versions []uint16
	Suites   map[uint16][]uint16
	OwnOrder map[uint16]bool
	Groups   []string
	Hashes   []string

	Compression, SecureRenegotiation, ExtendedMasterSecret *bool
	Err                                                    string
}

// TLS finds out what the server at an address agrees to: the versions alone, in a few
// connections, or all of it if the look is to be thorough, which may take dozens.
func (s *Scanner) TLS(ctx context.Context, e probe.Endpoint, addr netip.AddrPort, thorough bool) *Result {
	l := &look{Result: new(Result), scanner: s, ctx: ctx, endpoint: e, address: addr, left: cmp.Or(s.Most, DefaultMost)}
	err := l.versions()
	if err == nil && thorough {
		err = l.all()
	}
	if err != nil {
		l.Err = err.Error()
	}
	return l.Result
}

// Versions finds out which versions the server takes.
func (s *Scanner) Versions(ctx context.Context, e probe.Endpoint, addr netip.AddrPort) *Result {
	return s.TLS(ctx, e, addr, false)
}

// All finds out everything.
func (s *Scanner) All(ctx context.Context, e probe.Endpoint, addr netip.AddrPort) *Result {
	return s.TLS(ctx, e, addr, true)
}

// A look is at one address.
type look struct {
	*Result
	scanner  *Scanner
	ctx      context.Context
	endpoint probe.Endpoint
	address  netip.AddrPort
	left     int  // connections
	shares   bool // TLS 1.3 goes with key shares alone
}

// errHungUp is an answer, too, if it comes twice: Schannel gives it for an alert.
var errHungUp = errors.New("the server hung up on the ClientHello")

// ask makes an offer. Taken tells whether the server took it; an error says that this is
// not known. A failure that may be chance gets a second try.
func (l *look) ask(o offer) (a answer, taken bool, err error) {
	o.name = l.endpoint.Host
	for range 2 {
		a, err = l.once(o)
		var r refusal
		if err == nil || errors.As(err, &r) {
			return a, err == nil, nil
		}
		if l.ctx.Err() != nil {
			return a, false, context.Cause(l.ctx)
		}
	}
	if errors.Is(err, errHungUp) {
		return a, false, nil
	}
	return a, false, err
}

// once makes an offer in a connection of its own.
func (l *look) once(o offer) (a answer, err error) {
	if l.left--; l.left < 0 {
		return a, fmt.Errorf("%s at %s: not all was asked in %d connections", l.endpoint, l.address, cmp.Or(l.scanner.Most, DefaultMost))
	}
	record, err := o.record()
	if err != nil {
		return a, err
	}
	c, err := l.scanner.Prober.Plain(l.ctx, l.endpoint, l.address)
	if err != nil {
		return a, err
	}
	defer c.Close()
	err = within(l.ctx, cmp.Or(l.scanner.Timeout, probe.DefaultTimeout), c, func() error {
		if _, err := c.Write(record); err != nil {
			return err
		}
		a, err = read(c, o)
		return err
	})
	var r refusal
	switch {
	case err == nil:
		l.leave(c, a.version)
		return a, nil
	case errors.As(err, &r):
		return a, err
	case hungUp(err):
		err = errHungUp
	}
	return a, fmt.Errorf("%s at %s: ClientHello: %w", l.endpoint, l.address, err)
}

// within runs a step. If it takes too long the connection is closed, which ends it.
func within(ctx context.Context, d time.Duration, c net.Conn, step func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, fmt.Errorf("no answer in %s", d))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	err := step()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

func hungUp(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// goodbye is how long a server may take to hang up once it was told that it may.
const goodbye = 2 * time.Second

// leave says that the handshake goes no further (RFC 8446, section 6.1), and lets the
// server hang up first, so that it has done so when the next connection comes.
func (l *look) leave(c net.Conn, version uint16) {
	const (
		warning      = 1
		userCanceled = 90
		closeNotify  = 0
	)
	minor := byte(min(version, tls.VersionTLS12)) // of the record, in which a server wants what it chose
	_ = within(l.ctx, goodbye, c, func() error {
		_, err := c.Write([]byte{recordAlert, 3, minor, 0, 2, warning, userCanceled, recordAlert, 3, minor, 0, 2, warning, closeNotify})
		if err == nil {
			_, err = io.CopyN(io.Discard, c, maxFlight)
		}
		return err
	})
}
