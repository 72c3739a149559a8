package lookup_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// A loopServer is a name server on real sockets of 127.0.0.1.
type loopServer struct {
	addr     netip.AddrPort
	udp, tcp atomic.Int32 // questions
}

type handler func(s *loopServer, q *dns.Msg) [][]byte // datagrams or messages to send; none: silent

// serve starts a server that ends with the test; a nil handler leaves the port of
// that transport closed.
func serve(t *testing.T, udp, tcp handler) *loopServer {
	t.Helper()
	l, pc := listen(t)
	s := &loopServer{addr: netip.MustParseAddrPort(l.Addr().String())}
	if tcp == nil {
		l.Close()
	} else {
		t.Cleanup(func() { l.Close() })
		go s.serveTCP(l, tcp)
	}
	if udp == nil {
		pc.Close()
	} else {
		t.Cleanup(func() { pc.Close() })
		go s.serveUDP(pc, udp)
	}
	return s
}

// listen finds a port that is free for both transports.
func listen(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	var last error
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, pc
		}
		l.Close()
		last = err
	}
	t.Fatal(last)
	return nil, nil
}

func (s *loopServer) serveUDP(pc net.PacketConn, h handler) {
	buf := make([]byte, 4096)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		s.udp.Add(1)
		q := new(dns.Msg)
		if q.Unpack(buf[:n]) != nil {
			return
		}
		for _, b := range h(s, q) {
			pc.WriteTo(b, from)
		}
	}
}

func (s *loopServer) serveTCP(l net.Listener, h handler) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			var size uint16
			if binary.Read(conn, binary.BigEndian, &size) != nil {
				return
			}
			buf := make([]byte, size)
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			s.tcp.Add(1)
			q := new(dns.Msg)
			if q.Unpack(buf) != nil {
				return
			}
			out := h(s, q)
			for _, b := range out {
				conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
			}
			if out == nil {
				conn.Read(buf) // until the client gives up
			}
		}()
	}
}

func packed(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// honest answers with an address.
func honest(_ *loopServer, q *dns.Msg) [][]byte {
	r := new(dns.Msg).SetReply(q)
	r.Answer = []dns.RR{mustRR(q.Question[0].Name + " 60 IN A 192.0.2.1")}
	return [][]byte{packed(r)}
}

func truncated(_ *loopServer, q *dns.Msg) [][]byte {
	r := new(dns.Msg).SetReply(q)
	r.Truncated = true
	return [][]byte{packed(r)}
}

func silent(*loopServer, *dns.Msg) [][]byte { return nil }

func ask(t *testing.T, ctx context.Context, s *loopServer) lookup.Answer {
	t.Helper()
	c, err := lookup.New(lookup.Config{Resolver: s.addr, Now: time.Now, Timeout: 60 * time.Millisecond, SelfTestName: "self.test"})
	if err != nil {
		t.Fatal(err)
	}
	return c.NewPass(nil).Ask(ctx, "x.example.org", dns.TypeA)
}

func TestSockets(t *testing.T) {
	forged := func(s *loopServer, q *dns.Msg) [][]byte {
		wrong := new(dns.Msg).SetReply(q)
		wrong.Id++
		wrong.Answer = []dns.RR{mustRR(q.Question[0].Name + " 60 IN A 203.0.113.66")}
		return append([][]byte{{1, 2, 3}, packed(wrong), []byte("no message at all, but long enough")}, honest(s, q)...)
	}
	large := func(s *loopServer, q *dns.Msg) [][]byte {
		r := new(dns.Msg).SetReply(q)
		for i := range 60 { // more than was offered
			r.Answer = append(r.Answer, mustRR(q.Question[0].Name+" 60 IN A 192.0.2."+string(rune('1'+i%9))))
		}
		return [][]byte{packed(r)}
	}
	lossy := func(s *loopServer, q *dns.Msg) [][]byte {
		if s.udp.Load()%3 != 0 {
			return nil
		}
		return honest(s, q)
	}
	tests := []struct {
		name     string
		udp, tcp handler
		text     string // of Err; "": an answer
	}{
		{"UDP", honest, nil, ""},
		{"truncated, then TCP", truncated, honest, ""},
		{"UDP lost, then TCP", silent, honest, ""},
		{"UDP closed, then TCP", nil, honest, ""},
		{"third try", lossy, nil, ""},
		{"forged and mangled datagrams before the answer", forged, nil, ""},
		{"larger than offered", large, nil, ""},
		{"both silent", silent, silent, "no answer: 3 tries over UDP (timeout), then TCP (timeout)"},
		{"both closed", nil, nil, "no answer: 3 tries over UDP (connection refused), then TCP (connection refused)"},
		{"truncated, TCP closed", truncated, nil, "the answer is truncated over UDP, and over TCP there is none: connection refused (hint: let TCP port PORT through)"},
		{"truncated over TCP too", truncated, truncated, "the answer is truncated over TCP"},
		{"TCP ends in the middle", truncated, func(*loopServer, *dns.Msg) [][]byte { return [][]byte{} }, "the answer is truncated over UDP, and over TCP there is none: EOF (hint: let TCP port PORT through)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.udp, test.tcp)
			a := ask(t, t.Context(), s)
			if test.text == "" {
				if a.Err != "" || len(a.Records) == 0 || !strings.Contains(a.Records[0].String(), "192.0.2.") {
					t.Errorf("%#v", a)
				}
				return
			}
			_, port, _ := net.SplitHostPort(s.addr.String())
			want := "resolver " + s.addr.String() + ": x.example.org. A: " + strings.ReplaceAll(test.text, "PORT", port)
			if !strings.HasPrefix(a.Err, want) || a.Security != lookup.Indeterminate {
				t.Errorf("%s\nwant %s", a.Err, want)
			}
		})
	}
}

func TestContextEndsTheWait(t *testing.T) {
	s := serve(t, silent, silent)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	c, _ := lookup.New(lookup.Config{Resolver: s.addr, Now: time.Now, Timeout: time.Minute})
	p := c.NewPass(nil)
	done := make(chan lookup.Answer, 1)
	go func() { done <- p.Ask(ctx, "x.example.org", dns.TypeA) }()
	for s.udp.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel(cause)
	select {
	case a := <-done:
		if a.Err == "" || a.Security != lookup.Indeterminate {
			t.Errorf("%#v", a)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits on")
	}
}
