package rfc2136

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"
)

// How many requests are on the way at once (RFC 7766, section 6.2.1.1); the next is sent
// when a reply is there. As many fit into the buffers of both ends; and of updates, which are
// large and take their time, no more than keep the server busy: the last of them is
// waited for no longer than the first.
const (
	pipelinedQueries = 32
	pipelinedUpdates = 4
)

// errClosed says that the server closed the connection.
var errClosed = errors.New("the server closed the connection without a reply")

// underway is requests on their way over one connection.
type underway struct {
	count   int                                 // of requests
	request func(i int) *dns.Msg                // makes one, when its turn comes
	atOnce  int                                 // that many are without a reply at most
	got     func(i int, raw, requestMAC []byte) // takes a reply

	sent   int            // requests before it are sent
	open   map[uint16]int // those without a reply, by ID
	macs   [][]byte
	signed time.Time // when those without a reply were signed
}

// round sends requests and hands on the replies, with the MACs of their requests.
func (s *session) round(ctx context.Context, requests []*dns.Msg, got func(i int, raw, requestMAC []byte)) error {
	return s.pipeline(ctx, &underway{
		count: len(requests), request: func(i int) *dns.Msg { return requests[i] }, atOnce: pipelinedQueries, got: got,
	})
}

// pipeline sends requests and hands on the replies, in whatever order they come
// (RFC 7766, section 7). With an error, the rest remains unanswered. The time-out is for
// the next reply.
func (s *session) pipeline(outer context.Context, on *underway) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	patience := time.AfterFunc(s.p.timeout, func() { cancel(context.DeadlineExceeded) })
	defer patience.Stop()
	if err := s.connect(ctx); err != nil {
		return because(ctx, err)
	}
	// A deadline that is over ends every call under way; so the context does.
	conn := s.conn
	conn.SetDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			s.close() // the deadline may come in at any moment
		}
	}()

	on.open, on.macs = map[uint16]int{}, make([][]byte, on.count)
	if err := s.send(on); err != nil {
		return because(ctx, err)
	}
	for len(on.open) > 0 {
		quickAck(conn)
		raw, err := s.receive()
		if err != nil {
			return because(ctx, err)
		}
		patience.Reset(s.p.timeout)
		id := binary.BigEndian.Uint16(raw)
		i, ok := on.open[id]
		if !ok { // whose it is cannot be said, so the connection is of no use any more
			return errors.New("a reply to a request that was not made (wrong ID)")
		}
		delete(on.open, id)
		s.replies++
		on.got(i, raw, on.macs[i])
		if err := s.send(on); err != nil {
			return because(ctx, err)
		}
	}
	return nil
}

// because puts the reason why a context ended in place of what it did to a connection.
func because(ctx context.Context, err error) error {
	var insecure *notSecure
	if errors.As(err, &insecure) {
		return err // it says what was waited for
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// large is a request that is written by itself, so that the server may begin with it.
// Small ones are written at one go: a server that closes the connection after the first
// reply has it heard then.
const large = 4096

// send signs as many requests as may be on the way, and writes them.
func (s *session) send(on *underway) error {
	var out []byte
	for len(on.open) < on.atOnce && on.sent < on.count && s.p.mayFollow(on) {
		m := on.request(on.sent)
		for m.Id = dns.Id(); ; m.Id = dns.Id() {
			if _, taken := on.open[m.Id]; !taken {
				break
			}
		}
		raw, mac, err := s.pack(m, on.signed)
		if err != nil {
			return err
		}
		on.open[m.Id], on.macs[on.sent] = on.sent, mac
		on.sent++
		if out = append(out, lengthPrefixed(raw)...); len(raw) < large {
			continue
		}
		if _, err := s.conn.Write(out); err != nil {
			return closed(err)
		}
		out = out[:0]
	}
	if len(out) == 0 {
		return nil
	}
	_, err := s.conn.Write(out)
	return closed(err)
}

// tooOld is when another time is to be signed, long before clocks that are a little apart
// make a server refuse it.
const tooOld = fudge / 10

// mayFollow reports whether another request may be sent after those under way. All of them say
// that they were signed at the same moment: a server may refuse what was signed before
// what it has seen (RFC 8945, section 5.2.3), and may look at them in another order.
func (p *Provider) mayFollow(on *underway) bool {
	now := p.now()
	if len(on.open) == 0 {
		on.signed = now
	}
	return now.Sub(on.signed).Abs() < tooOld
}

// pack signs a request. The first query over a connection offers to keep it.
func (s *session) pack(m *dns.Msg, now time.Time) (raw, mac []byte, err error) {
	if s.offers(m) {
		m.Extra, s.offered = []dns.RR{keepAlive()}, true
		defer func() { m.Extra = nil }() // it may be sent again, over another
	}
	if s.key == nil {
		raw, err = m.Pack()
		return raw, nil, err
	}
	return s.key.sign(m, now)
}

// receive reads one message with its length (RFC 1035, section 4.2.2).
func (s *session) receive() ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(s.reader, length[:]); err != nil {
		return nil, closed(err)
	}
	n := binary.BigEndian.Uint16(length[:])
	if n < headerLen {
		return nil, fmt.Errorf("a reply of %d octets", n)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(s.reader, raw); err != nil {
		return nil, closed(err)
	}
	return raw, nil
}

// closed tells the end of a connection from a time-out.
func closed(err error) error {
	var timeout net.Error
	switch {
	case err == nil, errors.As(err, &timeout) && timeout.Timeout():
		return err
	}
	return fmt.Errorf("%w (%w)", errClosed, err)
}
