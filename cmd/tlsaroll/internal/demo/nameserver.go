package demo

import (
	"errors"
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// loopback is where all sockets of the world are, at ports that the kernel chooses.
const loopback = "127.0.0.1:0"

// udpSize is how large a message over UDP may be (DNS flag day 2020), in octets.
const udpSize = 1232

// A nameserver answers questions over UDP and TCP.
type nameserver struct {
	packets  net.PacketConn
	listener net.Listener
	running  []running
}

// running is one server and the end of it.
type running struct {
	*dns.Server
	ended chan error
}

// listenDNS opens the sockets of a nameserver.
func listenDNS() (*nameserver, error) {
	packets, err := net.ListenPacket("udp", loopback)
	if err != nil {
		return nil, noSocket(err)
	}
	listener, err := net.Listen("tcp", loopback)
	if err != nil {
		return nil, errors.Join(noSocket(err), packets.Close())
	}
	return &nameserver{packets: packets, listener: listener}, nil
}

// serve begins to answer. An error of answer is a SERVFAIL to whoever asked.
func (n *nameserver) serve(answer func(*dns.Msg) (*dns.Msg, error)) error {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		_, overUDP := w.LocalAddr().(*net.UDPAddr)
		_ = w.WriteMsg(reply(m, overUDP, answer)) // whoever gets none asks again
	})
	return errors.Join(n.start(&dns.Server{PacketConn: n.packets, Handler: handler}), n.start(&dns.Server{Listener: n.listener, Handler: handler}))
}

func (n *nameserver) start(s *dns.Server) error {
	r := running{s, make(chan error, 1)}
	started := make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	go func() { r.ended <- s.ActivateAndServe() }()
	select {
	case <-started:
		n.running = append(n.running, r)
		return nil
	case err := <-r.ended:
		return fmt.Errorf("name server: %w", err)
	}
}

// close ends the server once the questions that it has are answered.
func (n *nameserver) close() error {
	var errs []error
	for _, r := range n.running {
		errs = append(errs, r.Shutdown(), <-r.ended)
	}
	n.packets.Close() // unless that was done
	n.listener.Close()
	return errors.Join(errs...)
}

// reply is what a server says to a message.
func reply(m *dns.Msg, overUDP bool, answer func(*dns.Msg) (*dns.Msg, error)) *dns.Msg {
	if len(m.Question) != 1 || m.Question[0].Qclass != dns.ClassINET {
		return new(dns.Msg).SetRcode(m, dns.RcodeRefused)
	}
	r, err := answer(m)
	if err != nil {
		r = new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
	}
	size := dns.MinMsgSize
	opt := m.IsEdns0()
	if opt != nil {
		size = max(size, int(opt.UDPSize()))
		r.SetEdns0(udpSize, opt.Do())
	}
	if opt == nil || !opt.Do() {
		r.Answer, r.Ns = withoutDNSSEC(r.Answer, m.Question[0].Qtype), withoutDNSSEC(r.Ns, dns.TypeNone)
	}
	if overUDP {
		r.Truncate(size)
	}
	return r
}

// withoutDNSSEC leaves out what is for those only who ask for it with DO (RFC
// 4035, section 3.2.1), or by its type.
func withoutDNSSEC(rrs []dns.RR, asked uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		switch t := rr.Header().Rrtype; {
		case t == asked:
		case t == dns.TypeRRSIG, t == dns.TypeNSEC, t == dns.TypeDS:
			continue
		}
		out = append(out, rr)
	}
	return out
}

func noSocket(err error) error {
	return fmt.Errorf("no socket on 127.0.0.1: %w (hint: the demo needs a loopback interface, and nothing else)", err)
}
