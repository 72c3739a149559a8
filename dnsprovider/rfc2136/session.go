package rfc2136

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// pipelined is how many requests are on the way at once (RFC 7766, section 6.2.1.1); the
// next is sent when a reply is there. As many fit into the buffers of both ends.
const pipelined = 32

// session is a TCP connection to one address of a server.
type session struct {
	p       *Provider
	address string
	key     *key        // nil: nothing is signed, or a key is to be negotiated
	tls     *tls.Config // nil: in the clear
	conn    net.Conn
	reader  *bufio.Reader
	replies int // that came over this connection

	negotiator negotiator // nil: there is nothing to negotiate
}

// open prepares a session; it connects when there is something to say.
func (p *Provider) open(address string) *session {
	return &session{p: p, address: address, key: p.key, negotiator: p.negotiator, tls: p.tls}
}

func (s *session) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn = nil
}

func (s *session) connect(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	conn, err := s.p.dial(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	if s.tls != nil {
		if conn, err = secure(ctx, conn, s.tls); err != nil {
			return err
		}
	}
	s.conn, s.reader, s.replies = conn, bufio.NewReader(conn), 0
	return nil
}

// inquire sends queries and returns one reply or one trouble for each. Reading can be
// repeated, so a server that closes the connection after a few replies is asked
// for the rest over another one.
func (s *session) inquire(ctx context.Context, queries []*dns.Msg) ([]*dns.Msg, []*trouble) {
	replies, troubles := make([]*dns.Msg, len(queries)), make([]*trouble, len(queries))
	answered := func(i int) bool { return replies[i] != nil || troubles[i] != nil }
	for {
		var left []*dns.Msg
		var index []int
		for i, m := range queries {
			if !answered(i) {
				left, index = append(left, m), append(index, i)
			}
		}
		if len(left) == 0 {
			return replies, troubles
		}
		err := s.round(ctx, left, func(i int, raw, mac []byte) {
			reply, t := s.p.check(s.key, left[i], raw, mac)
			replies[index[i]], troubles[index[i]] = reply, t.at(s.address)
		})
		if err == nil {
			continue
		}
		reused := s.replies > 0
		s.close()
		if reused && errors.Is(err, errClosed) && ctx.Err() == nil {
			continue
		}
		for i := range queries {
			if !answered(i) {
				troubles[i] = s.p.unanswered(ctx, err, unheard).at(s.address)
			}
		}
	}
}

// deliver sends an update over a connection of its own, so that the server cannot have
// closed it before, and returns the reply, if it is one to rely on.
func (s *session) deliver(ctx context.Context, update *dns.Msg) (*dns.Msg, *trouble) {
	s.close()
	if t := s.reach(ctx); t != nil {
		return nil, t
	}
	var reply *dns.Msg
	var t *trouble
	err := s.round(ctx, []*dns.Msg{update}, func(_ int, raw, mac []byte) {
		reply, t = s.p.check(s.key, update, raw, mac)
	})
	if err != nil {
		s.close()
		t = s.p.unanswered(ctx, err, open)
		if ctx.Err() != nil {
			t.err = fmt.Errorf("%w, with an update on its way: whether it was carried out is not known", t.err)
		}
	}
	return reply, t.at(s.address)
}

// reach connects, and no more: if that is in vain, nothing was done here.
func (s *session) reach(ctx context.Context) *trouble {
	bounded, cancel := context.WithTimeout(ctx, s.p.timeout)
	defer cancel()
	if err := s.connect(bounded); err != nil {
		return s.p.unanswered(ctx, because(bounded, err), unheard).at(s.address)
	}
	return nil
}

// errClosed says that the server closed the connection.
var errClosed = errors.New("the server closed the connection without a reply")

// round sends requests and hands on the replies, with the MACs of their requests, in
// whatever order they come (RFC 7766, section 7). With an error, the rest remains
// unanswered. The time-out is for the next reply.
func (s *session) round(outer context.Context, requests []*dns.Msg, got func(i int, raw, requestMAC []byte)) error {
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

	on := &underway{requests: requests, macs: make([][]byte, len(requests)), open: map[uint16]int{}}
	if err := s.send(on, pipelined); err != nil {
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
		got(i, raw, on.macs[i])
		if err := s.send(on, 1); err != nil {
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

// underway is what was sent of some requests, and not yet answered.
type underway struct {
	requests []*dns.Msg
	macs     [][]byte
	sent     int            // requests before it are sent
	open     map[uint16]int // those without a reply, by ID
}

// send signs the next few requests and writes them at one go.
func (s *session) send(on *underway, count int) error {
	var out []byte
	for ; count > 0 && on.sent < len(on.requests); count-- {
		m := on.requests[on.sent]
		for m.Id = dns.Id(); ; m.Id = dns.Id() {
			if _, taken := on.open[m.Id]; !taken {
				break
			}
		}
		raw, mac, err := s.pack(m)
		if err != nil {
			return err
		}
		out = append(out, lengthPrefixed(raw)...)
		on.open[m.Id], on.macs[on.sent] = on.sent, mac
		on.sent++
	}
	if len(out) == 0 {
		return nil
	}
	_, err := s.conn.Write(out)
	return closed(err)
}

func (s *session) pack(m *dns.Msg) (raw, mac []byte, err error) {
	if s.key == nil {
		raw, err = m.Pack()
		return raw, nil, err
	}
	return s.key.sign(m, s.p.now())
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

// check says whether raw is the reply to the request, from who holds the key.
func (p *Provider) check(k *key, request *dns.Msg, raw, requestMAC []byte) (*dns.Msg, *trouble) {
	unauthentic := func(err error, hint string) *trouble {
		return &trouble{kind: dnsprovider.Unauthentic, err: err, hint: hint}
	}
	rcode := rcodeName(int(raw[3] & 0xf))
	if k != nil {
		if err := k.verify(raw, requestMAC, p.now()); err != nil {
			var reported *tsigError
			if errors.As(err, &reported) {
				return nil, p.reported(k, request.Opcode == dns.OpcodeUpdate, reported)
			}
			hint := k.doubtHint(err)
			if errors.Is(err, errUnsigned) && rcode == "NOTAUTH" && !k.negotiated() { // and no TSIG record, which RFC 8945, section 5.2 wants to be there
				hint = fmt.Sprintf("PowerDNS answers so unless it has a key of exactly the name %q, for %s, with the same secret, and a clock that agrees within %s; else %s",
					k.name, strings.TrimSuffix(k.algorithm, "."), fudge, hint)
			}
			return nil, unauthentic(fmt.Errorf("%w; it says %s", err, rcode), hint)
		}
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(raw); err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("a reply that cannot be read: %w", err)}
	}
	malformed := func(what string) (*dns.Msg, *trouble) {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("a reply that is none: %s; it says %s", what, rcode)}
	}
	switch {
	case !reply.Response:
		return malformed("it is a request")
	case reply.Opcode != request.Opcode:
		return malformed(fmt.Sprintf("its opcode is %d, not %d", reply.Opcode, request.Opcode))
	case !sameQuestion(request, reply):
		return malformed("it is about another question")
	case reply.Truncated:
		return malformed("it is truncated, over TCP")
	}
	return reply, nil
}

// sameQuestion compares the question, which is the zone section of an update. An error
// and the reply to an update may leave it out (RFC 2136, section 3.8).
func sameQuestion(request, reply *dns.Msg) bool {
	if len(reply.Question) == 0 {
		return request.Opcode == dns.OpcodeUpdate || (reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError)
	}
	asked, said := request.Question[0], reply.Question[0]
	return len(reply.Question) == 1 && asked.Qtype == said.Qtype && asked.Qclass == said.Qclass &&
		dns.CanonicalName(asked.Name) == dns.CanonicalName(said.Name)
}
