package lab

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// A craftedServer is an address at which crafted zones are.
type craftedServer struct {
	addr     netip.Addr
	resolver func(netip.Addr) bool
	end      func() error

	mu  sync.RWMutex
	has map[string]craftedAnswers // by zone
}

// craftedAnswers are those of one zone, by who asks.
type craftedAnswers struct{ world, resolvers *crafted }

// craftedServer is the i-th, which goes on until the lab ends.
func (l *Lab) craftedServer(i int) (*craftedServer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i >= len(l.crafted) {
		at, err := l.block.spare()
		if err != nil {
			return nil, err
		}
		s := &craftedServer{addr: at, resolver: l.isResolver, has: map[string]craftedAnswers{}}
		if s.end, err = serveDNS(netip.AddrPortFrom(at, 53), s); err != nil {
			return nil, err
		}
		l.crafted = append(l.crafted, s)
	}
	return l.crafted[i], nil
}

func (s *craftedServer) put(zone string, a craftedAnswers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[zone] = a
}

// of is the data of the zone that a name is in, nil if there is none.
func (s *craftedServer) of(name string, from net.Addr) *crafted {
	client, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if a, ok := s.has[name[off:]]; ok && s.resolver(client.Addr()) {
			return a.resolvers
		} else if ok {
			return a.world
		}
	}
	return nil
}

// ServeDNS answers one question; it is for [dns.Server].
func (s *craftedServer) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	var c *crafted
	if len(m.Question) == 1 {
		c = s.of(strings.ToLower(m.Question[0].Name), w.RemoteAddr())
	}
	reply := new(dns.Msg)
	if c == nil || c.Refuses {
		_ = w.WriteMsg(reply.SetRcode(m, dns.RcodeRefused)) // who asked may have gone
		return
	}
	if c.OmitsTLSA && m.Question[0].Qtype == dns.TypeTLSA {
		_ = w.WriteMsg(reply.SetRcode(m, dns.RcodeNotImplemented))
		return
	}
	reply.SetReply(m)
	reply.Authoritative = true
	if err := c.answer(reply); err != nil {
		reply.SetRcode(m, dns.RcodeServerFailure)
	}
	size, opt := dns.MinMsgSize, m.IsEdns0()
	if opt != nil {
		size = max(size, int(opt.UDPSize()))
		reply.SetEdns0(1232, opt.Do())
	}
	if opt == nil || !opt.Do() {
		unsigned := func(rr dns.RR) bool {
			t := rr.Header().Rrtype
			return t != m.Question[0].Qtype && (t == dns.TypeRRSIG || t == dns.TypeNSEC)
		}
		reply.Answer, reply.Ns = slices.DeleteFunc(reply.Answer, unsigned), slices.DeleteFunc(reply.Ns, unsigned)
	}
	if w.LocalAddr().Network() == "udp" {
		reply.Truncate(size)
	}
	_ = w.WriteMsg(reply)
}

func (c *crafted) answer(reply *dns.Msg) error {
	name, rrtype := strings.ToLower(reply.Question[0].Name), reply.Question[0].Qtype
	sets := c.sets[name]
	switch {
	case len(sets[rrtype]) > 0:
		reply.Answer = slices.Clone(sets[rrtype])
	case len(sets[dns.TypeCNAME]) > 0:
		reply.Answer = slices.Clone(sets[dns.TypeCNAME])
	default:
		return c.deny(reply, name)
	}
	return nil
}

// deny proves that there is no such record, or no such name: then no wildcard either (RFC
// 4035, section 3.1.3).
func (c *crafted) deny(reply *dns.Msg, name string) error {
	reply.Ns = slices.Clone(c.sets[c.origin][dns.TypeSOA])
	prove := func(owner string) {
		for _, rr := range c.sets[owner][dns.TypeNSEC] {
			if !slices.Contains(reply.Ns, rr) {
				reply.Ns = append(reply.Ns, rr)
			}
		}
	}
	exists, empty := c.has(name), len(c.sets[name]) == 0
	switch {
	case exists && empty && c.DeniesEmpty:
		reply.Rcode = dns.RcodeNameError
		passing, err := c.passing(name)
		reply.Ns = append(reply.Ns, passing...)
		return err
	case exists:
		prove(c.covering(name))
	default:
		reply.Rcode = dns.RcodeNameError
		prove(c.covering(name))
		_, encloser, _ := strings.Cut(name, ".")
		for !c.has(encloser) {
			_, encloser, _ = strings.Cut(encloser, ".")
		}
		prove(c.covering("*." + encloser))
	}
	return nil
}

// serveDNS has a handler answer on an address until its end is called.
func serveDNS(at netip.AddrPort, handler dns.Handler) (end func() error, err error) {
	tcp, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, err
	}
	udp, err := net.ListenPacket("udp", at.String())
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	var ends []func() error
	for _, server := range []*dns.Server{{Listener: tcp}, {PacketConn: udp}} {
		server.Handler = handler
		server.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept } // updates too
		started, ended := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		ends = append(ends, func() error { return errors.Join(server.Shutdown(), <-ended) })
	}
	return func() error { return errors.Join(ends[0](), ends[1]()) }, nil
}
