package rfc2136

import (
	"bufio"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// longestIdle is how long a connection is kept at most, whatever the server promises.
const longestIdle = 10 * time.Second

// kept are connections whose server has promised to keep them open for a while (RFC 7828):
// what is asked soon after needs no other, which with TLS takes a while to make. A server
// that promises nothing has each connection closed as soon as it is not needed.
type kept struct {
	mu    sync.Mutex
	conns map[string]*keptConn // by address
	never map[string]bool      // addresses that do not understand the offer
}

type keptConn struct {
	conn    net.Conn
	reader  *bufio.Reader
	replies int
	promise time.Duration
	end     *time.Timer
}

func newKept() *kept { return &kept{conns: map[string]*keptConn{}, never: map[string]bool{}} }

// put keeps the session's connection for half the time that is promised, so that it is not
// used when the server is about to close it. False: there is one already.
func (k *kept) put(s *session) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conns[s.address] != nil {
		return false
	}
	c := &keptConn{conn: s.conn, reader: s.reader, replies: s.replies, promise: s.promise}
	address := s.address
	c.end = time.AfterFunc(min(s.promise/2, longestIdle), func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.conns[address] == c {
			delete(k.conns, address)
			c.conn.Close()
		}
	})
	k.conns[s.address] = c
	s.conn = nil
	return true
}

// take gives the session the connection that is kept to its address, if there is one.
func (k *kept) take(s *session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.conns[s.address]; c != nil {
		delete(k.conns, s.address)
		c.end.Stop()
		s.conn, s.reader, s.replies, s.promise = c.conn, c.reader, c.replies, c.promise
	}
}

func (k *kept) spurned(address string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.never[address] = true
}

func (k *kept) mayOffer(address string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.never[address]
}

// keepAlive is the option by which a client asks how long it may leave a connection idle
// (RFC 7828, section 3.2.1). It is EDNS: 1232 octets are what is usual over UDP.
func keepAlive() dns.RR {
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(1232)
	opt.Option = []dns.EDNS0{&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE}}
	return opt
}

// offers reports whether a request is the one to bring the option: the first query
// over a connection to the primary. Updates are left as plain as they can be.
func (s *session) offers(m *dns.Msg) bool {
	return s.replies == 0 && !s.offered && !s.brief && m.Opcode == dns.OpcodeQuery && len(m.Extra) == 0 && s.p.kept.mayOffer(s.address)
}

// spurned reports whether the reply to the query with the option says that the server does
// not know EDNS (RFC 6891, section 7). Whether it is signed is all the same: nothing but
// the option is left out then.
func (s *session) spurned(raw []byte) bool {
	rcode := int(raw[3] & 0xf)
	if !s.offered || (rcode != dns.RcodeFormatError && rcode != dns.RcodeNotImplemented) {
		return false
	}
	s.offered = false
	s.p.kept.spurned(s.address)
	return true
}

// promised notes how long the server says that the connection may be idle, in a reply that
// is believed.
func (s *session) promised(reply *dns.Msg) {
	if !s.offered || reply == nil {
		return
	}
	s.offered = false
	opt := reply.IsEdns0()
	if opt == nil {
		return
	}
	for _, o := range opt.Option {
		if alive, ok := o.(*dns.EDNS0_TCP_KEEPALIVE); ok {
			s.promise = time.Duration(alive.Timeout) * 100 * time.Millisecond
		}
	}
}
