package lab

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// ServeDNS answers one question; it is for [dns.Server].
func (c *crafted) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	reply := new(dns.Msg)
	if len(m.Question) != 1 || c.Refuses || c.shunned(w.RemoteAddr()) || !dns.IsSubDomain(c.origin, strings.ToLower(m.Question[0].Name)) {
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

func (c *crafted) shunned(client net.Addr) bool {
	at, err := netip.ParseAddrPort(client.String())
	return err == nil && slices.Contains(c.shuns, at.Addr())
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

// serveDNS has a handler answer on an address until the test ends.
func serveDNS(t testing.TB, at netip.AddrPort, handler dns.Handler) error {
	tcp, err := net.Listen("tcp", at.String())
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp", at.String())
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	for _, server := range []*dns.Server{{Listener: tcp}, {PacketConn: udp}} {
		server.Handler = handler
		server.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept } // updates too
		started, ended := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := server.Shutdown(); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	return nil
}
