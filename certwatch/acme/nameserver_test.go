package acme

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameserver has an address for every name, and the TXT records that it is told. To an
// Issuer it is the DNS that it writes to.
type nameserver struct {
	address string

	mu      sync.Mutex
	txt     map[string][]string
	aliases map[string]string
	added   []string // names, as they were added
	lag     time.Duration
	since   time.Time // of the last addition
	hidden  bool      // no server ever gives a value
	refuses error     // what the provider says to additions
	keeps   error     // and to removals
	addHook func()    // runs after an addition
}

func startNameserver(t *testing.T) *nameserver {
	t.Helper()
	n := &nameserver{txt: map[string][]string{}, aliases: map[string]string{}}
	conn, listener := bothWays(t)
	n.address = conn.LocalAddr().String()
	var wg sync.WaitGroup
	for _, server := range []*dns.Server{{PacketConn: conn, Handler: dns.HandlerFunc(n.answer)}, {Listener: listener, Handler: dns.HandlerFunc(n.answer)}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		wg.Go(func() { server.ActivateAndServe() })
		<-started
		t.Cleanup(func() { server.Shutdown() })
	}
	t.Cleanup(func() {
		conn.Close()
		listener.Close()
		wg.Wait()
	})
	return n
}

// bothWays finds a port that is free over UDP and TCP.
func bothWays(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 50 {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", conn.LocalAddr().String()); err == nil {
			return conn, listener
		}
		conn.Close()
	}
	t.Fatal("no free port")
	return nil, nil
}

func (n *nameserver) answer(w dns.ResponseWriter, q *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	name, header := dns.CanonicalName(q.Question[0].Name), dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET}
	for target := n.aliases[name]; target != ""; target = n.aliases[name] {
		m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: target})
		name, header.Name = target, target
	}
	switch q.Question[0].Qtype {
	case dns.TypeA:
		m.Answer = append(m.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
	case dns.TypeTXT:
		for _, value := range n.txt[name] {
			m.Answer = append(m.Answer, &dns.TXT{Hdr: header, Txt: []string{value}})
		}
	}
	w.WriteMsg(m)
}

func (n *nameserver) Lead(_ context.Context, name string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.aliases[name] != "" {
		name = n.aliases[name]
	}
	return name, nil
}

func (n *nameserver) AddTXT(ctx context.Context, name, value string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case n.refuses != nil:
		return n.refuses
	case n.aliases[name] != "":
		return errors.New("a CNAME stands there")
	}
	n.txt[name] = append(n.txt[name], value)
	n.added, n.since = append(n.added, name), time.Now()
	if n.addHook != nil {
		n.addHook()
	}
	return nil
}

func (n *nameserver) RemoveTXT(ctx context.Context, name, value string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case n.keeps != nil:
		return n.keeps
	}
	n.txt[name] = slices.DeleteFunc(n.txt[name], func(v string) bool { return v == value })
	return nil
}

func (n *nameserver) Missing(ctx context.Context, name, value string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hidden || time.Since(n.since) < n.lag || !slices.Contains(n.txt[name], value) {
		return []string{"ns2.example.org. (192.0.2.53): no such value"}, ctx.Err()
	}
	return nil, ctx.Err()
}

// holds compares what TXT values there are.
func (n *nameserver) holds(t *testing.T, want map[string][]string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	got := map[string][]string{}
	for name, values := range n.txt {
		if len(values) > 0 {
			got[name] = values
		}
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("TXT records %s, want %s", fmt.Sprint(got), fmt.Sprint(want))
	}
}

// set changes how it behaves.
func (n *nameserver) set(change func(*nameserver)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

func (n *nameserver) values(t *testing.T) (all string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, values := range n.txt {
		all += strings.Join(values, " ")
	}
	return all
}
