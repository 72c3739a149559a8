package rfc2136

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// session is a TCP connection to one address of a server.
type session struct {
	p       *Provider
	address string
	key     *key        // nil: nothing is signed, or a key is to be negotiated
	tls     *tls.Config // nil: in the clear
	conn    net.Conn
	reader  *bufio.Reader
	replies int // that came over this connection

	brief   bool          // nothing is kept: one question, and not of the primary
	offered bool          // the server was told over this connection that it may be kept, and has not answered yet
	promise time.Duration // for which the server keeps this connection open; 0: it may close it at any moment

	negotiator negotiator // nil: there is nothing to negotiate
}

// open prepares a session with the primary; it connects when there is something to say.
// A connection that is kept is taken.
func (p *Provider) open(address string) *session {
	s := &session{p: p, address: address, key: p.key, negotiator: p.negotiator, tls: p.tls}
	p.kept.take(s)
	return s
}

// release ends a session, and keeps its connection for the next where the server does.
func (s *session) release() {
	if s.conn == nil || s.promise == 0 || s.reader.Buffered() > 0 || !s.p.kept.put(s) {
		s.close()
	}
}

// close closes the connection: after an error nothing is known of it.
func (s *session) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.promise, s.offered = nil, 0, false
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
	s.conn, s.reader, s.replies, s.promise, s.offered = conn, bufio.NewReader(conn), 0, 0, false
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
			if i == 0 && s.spurned(raw) {
				return // it is sent again, as nothing else has come of it
			}
			reply, t := s.p.check(s.key, left[i], raw, mac)
			if i == 0 {
				s.promised(reply)
			}
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
				troubles[i] = s.unheard(ctx, err)
			}
		}
	}
}

// deliver sends an update over a connection of its own, so that the server cannot have
// closed it before, and returns the reply, if it is one to rely on. A connection that
// the server has promised to keep open is as good: replies came over it a moment ago.
func (s *session) deliver(ctx context.Context, update *dns.Msg) (*dns.Msg, *trouble) {
	if s.promise == 0 {
		s.close()
	}
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

// unheard is the trouble of a query that has no reply.
func (s *session) unheard(ctx context.Context, err error) *trouble {
	t := s.p.unanswered(ctx, err, unheard).at(s.address)
	if _, port, _ := net.SplitHostPort(s.address); port == tlsPort && s.tls == nil && errors.Is(err, errClosed) {
		t.hint = "port " + tlsPort + " is for TLS, and TLS is not configured"
	}
	return t
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
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("not a valid reply: %s; it says %s", what, rcode)}
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
