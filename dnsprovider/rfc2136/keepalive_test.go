package rfc2136_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

// countDials has the connections of a provider counted.
func countDials(c *rfc2136.Config) *atomic.Int32 {
	n := new(atomic.Int32)
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		n.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return n
}

// keep has the server promise to keep connections, in tenths of a second, to who asks, until f
// says that it has dealt with a request otherwise.
func (s *server) keep(tenths uint16, f func(w dns.ResponseWriter, req *dns.Msg) bool) {
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if f != nil && f(w, req) {
			return true
		}
		if !asksToKeep(req) {
			return false
		}
		reply := s.reply(req)
		opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: []dns.EDNS0{
			&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE, Timeout: tenths},
		}}
		reply.Extra = append(reply.Extra, opt)
		s.write(w, req, reply)
		return true
	})
}

func asksToKeep(req *dns.Msg) bool {
	opt := req.IsEdns0()
	if opt == nil {
		return false
	}
	for _, o := range opt.Option {
		if o.Option() == dns.EDNS0TCPKEEPALIVE {
			return true
		}
	}
	return false
}

// TestConnectionIsKept as long as the server promises, and not without a promise: an
// update has a connection of its own then.
func TestConnectionIsKept(t *testing.T) {
	for name, test := range map[string]struct {
		tenths uint16
		offer  bool
		want   int32
	}{
		"promised":         {300, true, 1},
		"promised nothing": {0, true, 7},
		"silent":           {0, false, 7},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			if test.offer {
				s.keep(test.tenths, nil)
			}
			c := config(s)
			n := countDials(&c)
			p := newProvider(t, c)
			for range 3 {
				if _, err := p.RRset(t.Context(), zone, owner); err != nil {
					t.Fatal(err)
				}
			}
			if err := apply(t, p, rrset(), rrset("1")); err != nil { // a look, an update and what follows it
				t.Error(err)
			}
			if err := p.AddTXT(t.Context(), zone, challenge, "value", time.Minute); err != nil {
				t.Error(err)
			}
			if got := n.Load(); got != test.want {
				t.Errorf("%d connections, want %d", got, test.want)
			}
		})
	}
}

// TestOnlyTheFirstQueryAsks: updates and what follows are as plain as they can be.
func TestOnlyTheFirstQueryAsks(t *testing.T) {
	s := serve(t)
	var asked, requests atomic.Int32
	s.keep(300, func(_ dns.ResponseWriter, req *dns.Msg) bool {
		requests.Add(1)
		if req.IsEdns0() != nil {
			asked.Add(1)
			if requests.Load() > 1 || isUpdate(req) {
				t.Errorf("request %d has EDNS: %v", requests.Load(), req)
			}
		}
		return false
	})
	if err := apply(t, newProvider(t, config(s)), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestServerWithoutEDNS is asked again without (RFC 6891, section 7), and never after.
func TestServerWithoutEDNS(t *testing.T) {
	for _, signed := range []bool{true, false} {
		s := serve(t)
		var asked atomic.Int32
		s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
			if req.IsEdns0() == nil {
				return false
			}
			asked.Add(1)
			reply := new(dns.Msg).SetRcode(req, dns.RcodeFormatError)
			if signed {
				s.write(w, req, reply)
			} else {
				w.WriteMsg(reply)
			}
			return true
		})
		p := newProvider(t, config(s))
		if err := apply(t, p, rrset(), rrset("1")); err != nil {
			t.Error(err)
		}
		if err := apply(t, p, rrset("1"), rrset("1", "2")); err != nil {
			t.Error(err)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	}
}

// TestPromiseIsBroken: a server that was started again knows nothing of its promises. What
// was asked is asked again, and what became of an update is found out by reading.
func TestPromiseIsBroken(t *testing.T) {
	s := serve(t)
	var broken atomic.Bool
	s.keep(300, func(w dns.ResponseWriter, req *dns.Msg) bool {
		if broken.CompareAndSwap(true, false) {
			w.Close()
			return true
		}
		return false
	})
	c := config(s)
	n := countDials(&c)
	p := newProvider(t, c)
	read := func() {
		t.Helper()
		if _, err := p.RRset(t.Context(), zone, owner); err != nil {
			t.Error(err)
		}
	}
	read()
	broken.Store(true)
	read()
	if got := n.Load(); got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
	s.keep(300, func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) && broken.CompareAndSwap(false, true) {
			w.Close()
			return true
		}
		return false
	})
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	s.holds(t, owner, rrset("1"))
	if got := s.heard(); got != 1 {
		t.Errorf("%d updates, want 1", got)
	}
}

// TestIdleConnectionEnds: the client ends it, before the server would.
func TestIdleConnectionEnds(t *testing.T) {
	s := serve(t)
	s.keep(2, nil)
	ended := make(chan struct{})
	c := config(s)
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &watched{Conn: conn, closed: ended}, err
	}
	if _, err := newProvider(t, c).RRset(t.Context(), zone, owner); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the connection stays open")
	}
}

type watched struct {
	net.Conn
	closed chan struct{}
}

func (w *watched) Close() error {
	close(w.closed)
	return w.Conn.Close()
}

// TestRealServersAndKeptConnections: BIND promises, and Knot and PowerDNS do not.
func TestRealServersAndKeptConnections(t *testing.T) {
	for name, test := range map[string]struct {
		start func() *named
		keeps bool
	}{
		"BIND":     {func() *named { return startNamed(t, `allow-update { key "tlsaroll.example.org."; };`) }, true},
		"Knot":     {func() *named { return startKnot(t, "") }, false},
		"PowerDNS": {func() *named { return startPowerDNS(t, "", pdnsAllow).named }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := bindConfig(test.start())
			n := countDials(&c)
			p := newProvider(t, c)
			for range 3 {
				if _, err := p.RRset(t.Context(), zone, owner); err != nil {
					t.Fatal(err)
				}
			}
			for i, err := range p.Apply(t.Context(), zone, append(additions(60), dnsprovider.Change{Owner: owner, After: rrset("1")})) {
				if err != nil {
					t.Errorf("change %d: %v", i, err)
				}
			}
			if got := n.Load(); (got == 1) != test.keeps {
				t.Errorf("%d connections", got)
			}
		})
	}
}

// TestKeptOverTLS: one handshake is enough.
func TestKeptOverTLS(t *testing.T) {
	s := startSecureNamed(t)
	c := bindConfig(&named{address: s.secure})
	c.ReadBack = 10 * time.Second
	c.TLS = &rfc2136.TLS{ServerName: serverName, Roots: s.roots}
	n := countDials(&c)
	p := newProvider(t, c)
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	if err := apply(t, p, rrset("1"), rrset("1", "2")); err != nil {
		t.Error(err)
	}
	if got := n.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}
