package rfc2136

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// pipelined is how many requests are on the way at once (RFC 7766, section 6.2.1.1).
// Requests and replies of as many fit into the buffers of both ends.
const pipelined = 32

// session is a TCP connection to one address of a server.
type session struct {
	p       *Provider
	address string
	key     *key // nil: nothing is signed
	conn    net.Conn
	reader  *bufio.Reader
	replies int // that came over this connection
}

// open prepares a session; it connects when there is something to say.
func (p *Provider) open(address string) *session {
	return &session{p: p, address: address, key: p.key}
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
	s.conn, s.reader, s.replies = conn, bufio.NewReader(conn), 0
	return nil
}

// ask sends queries and returns one reply or one trouble for each. Reading can be
// repeated, so a server that closes the connection after a few replies is asked
// for the rest over another one.
func (s *session) ask(ctx context.Context, queries []*dns.Msg) ([]*dns.Msg, []*trouble) {
	replies, troubles := make([]*dns.Msg, len(queries)), make([]*trouble, len(queries))
	for begin := 0; begin < len(queries); {
		batch := queries[begin:min(begin+pipelined, len(queries))]
		got, err := s.round(ctx, batch, func(i int, reply *dns.Msg, t *trouble) {
			replies[begin+i], troubles[begin+i] = reply, t.at(s.address)
		})
		begin += got
		if err == nil {
			continue
		}
		reused := s.replies > 0
		s.close()
		if reused && errors.Is(err, errClosed) && ctx.Err() == nil {
			continue
		}
		for i := begin; i < len(queries); i++ {
			troubles[i] = s.p.unanswered(ctx, err, elsewhere).at(s.address)
		}
		break
	}
	return replies, troubles
}

// tell sends an update over a connection of its own, so that the server cannot have
// closed it before, and returns the reply, if it is one to rely on.
func (s *session) tell(ctx context.Context, update *dns.Msg) (*dns.Msg, *trouble) {
	s.close()
	bounded, cancel := context.WithTimeout(ctx, s.p.timeout)
	defer cancel()
	if err := s.connect(bounded); err != nil {
		return nil, s.p.unanswered(ctx, err, elsewhere).at(s.address)
	}
	var reply *dns.Msg
	var t *trouble
	_, err := s.round(bounded, []*dns.Msg{update}, func(_ int, m *dns.Msg, why *trouble) { reply, t = m, why })
	if err != nil {
		s.close()
		t = s.p.unanswered(ctx, err, open)
		if ctx.Err() != nil {
			t.err = fmt.Errorf("%w, with an update on its way: whether it was carried out is not known", t.err)
		}
	}
	return reply, t.at(s.address)
}

// errClosed says that the server closed the connection.
var errClosed = errors.New("the server closed the connection without a reply")

// round sends requests and hands on the replies, in whatever order they come
// (RFC 7766, section 7). It returns how many requests from the first on are
// answered; with an error, the others are not.
func (s *session) round(ctx context.Context, requests []*dns.Msg, got func(int, *dns.Msg, *trouble)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.p.timeout)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return 0, err
	}
	// A deadline that is over ends every call under way; so the context does.
	s.conn.SetDeadline(time.Time{})
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			s.close() // the deadline may come in at any moment
		}
	}()

	macs, err := s.send(requests)
	if err != nil {
		return 0, err
	}
	answered := make([]bool, len(requests))
	done := func() int {
		for i, yes := range answered {
			if !yes {
				return i
			}
		}
		return len(answered)
	}
	for range requests {
		raw, err := s.receive()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return done(), err
		}
		i := answers(raw, requests, answered)
		if i < 0 {
			// Whose it is cannot be said, so the connection is of no use any more.
			return done(), errors.New("a reply to a request that was not made (wrong ID)")
		}
		answered[i] = true
		s.replies++
		reply, t := s.p.check(s.key, requests[i], raw, macs[i])
		got(i, reply, t)
	}
	return len(requests), nil
}

// answers returns which request of those not yet answered has the ID of the reply.
func answers(raw []byte, requests []*dns.Msg, answered []bool) int {
	id := binary.BigEndian.Uint16(raw)
	for i, m := range requests {
		if m.Id == id && !answered[i] {
			return i
		}
	}
	return -1
}

// send signs the requests and writes them at one go.
func (s *session) send(requests []*dns.Msg) (macs [][]byte, err error) {
	var out []byte
	macs = make([][]byte, len(requests))
	taken := map[uint16]bool{}
	for i, m := range requests {
		for m.Id = dns.Id(); taken[m.Id]; m.Id = dns.Id() {
		}
		taken[m.Id] = true
		var raw []byte
		if s.key == nil {
			raw, err = m.Pack()
		} else {
			raw, macs[i], err = s.key.sign(m, s.p.now())
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lengthPrefixed(raw)...)
	}
	_, err = s.conn.Write(out)
	return macs, closed(err)
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
				return nil, p.reported(k, reported)
			}
			hint := fmt.Sprintf("is this the server that holds the key %q, and nothing between it and here", k.name)
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
