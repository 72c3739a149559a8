package lab

import (
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// An UnsignedPrimary says NOERROR to every update, does nothing with it and signs
// no reply: what a client sees of a server that does not know its key and does
// not care, or of someone who answers in the primary's place (RFC 8945, section 5.3).
// All other questions it passes on to the primary.
type UnsignedPrimary struct {
	Addr    netip.AddrPort
	lab     *Lab
	updates atomic.Int64
}

// UnsignedPrimary starts one on an address of its own; it ends with the test.
func (l *Lab) UnsignedPrimary(t testing.TB) *UnsignedPrimary {
	t.Helper()
	u := &UnsignedPrimary{Addr: netip.AddrPortFrom(l.block.addr(hostUnsigned), 53), lab: l}
	end, err := serveDNS(u.Addr, u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return u
}

// Updates is how many updates it was sent.
func (u *UnsignedPrimary) Updates() int { return int(u.updates.Load()) }

// ServeDNS answers one message; it is for [dns.Server].
func (u *UnsignedPrimary) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	reply := new(dns.Msg)
	if m.Opcode == dns.OpcodeUpdate {
		u.updates.Add(1)
		_ = w.WriteMsg(reply.SetReply(m)) // who asked may have gone
		return
	}
	if m.IsTsig() != nil {
		m.Extra = m.Extra[:len(m.Extra)-1] // TSIG stands last
	}
	client := &dns.Client{Net: w.LocalAddr().Network(), Timeout: queryTimeout}
	answer, _, err := client.Exchange(m, u.lab.Primary.String())
	if err != nil {
		answer = reply.SetRcode(m, dns.RcodeServerFailure)
	}
	_ = w.WriteMsg(answer)
}
