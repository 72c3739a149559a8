package rfc2136_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// proxy stands between a provider and a real server, and does to updates what networks
// and other people do.
type proxy struct {
	t       testing.TB
	address string
	server  string
	// With TLS the proxy speaks it on both sides, as what it does is done to messages.
	front, back *tls.Config

	mu     sync.Mutex
	lose   int                                // replies to updates to be lost from now on
	before func()                             // runs before the next update is passed on
	twist  func(request, reply []byte) []byte // what becomes of a reply; both without their length
}

func newProxy(t testing.TB, server string) *proxy { return newTLSProxy(t, server, nil, nil) }

func newTLSProxy(t testing.TB, server string, front, back *tls.Config) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, address: listener.Addr().String(), server: server, front: front, back: back}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.pass(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return p
}

func (p *proxy) loseReply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose++
}

func (p *proxy) meanwhile(edit func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = edit
}

// pass passes messages on, one after the other.
func (p *proxy) pass(client net.Conn) {
	defer func() { client.Close() }()
	conn := client
	defer context.AfterFunc(p.t.Context(), func() { conn.Close() })() // it may be kept, and ends with the test
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		p.t.Error(err)
		return
	}
	defer func() { server.Close() }()
	if p.front != nil {
		client = tls.Server(client, p.front)
	}
	if p.back != nil {
		server = tls.Client(server, p.back)
	}
	for {
		request, err := message(client)
		if err != nil {
			return
		}
		edit, lose := p.plot(request)
		if edit != nil {
			edit()
		}
		if _, err := server.Write(request); err != nil {
			return
		}
		reply, err := message(server)
		if err != nil || lose {
			return
		}
		if _, err := client.Write(p.twisted(request, reply)); err != nil {
			return
		}
	}
}

// plot says what befalls the request.
func (p *proxy) plot(request []byte) (edit func(), lose bool) {
	if int(request[2+2]>>3&0xf) != dns.OpcodeUpdate {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	edit, p.before = p.before, nil
	if lose = p.lose > 0; lose {
		p.lose--
	}
	return edit, lose
}

func (p *proxy) twisted(request, reply []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.twist == nil {
		return reply
	}
	reply = p.twist(request[2:], reply[2:])
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
}

// message reads one message with its length.
func message(r io.Reader) ([]byte, error) {
	length := make([]byte, 2)
	if _, err := io.ReadFull(r, length); err != nil {
		return nil, err
	}
	out := append(length, make([]byte, binary.BigEndian.Uint16(length))...)
	_, err := io.ReadFull(r, out[2:])
	return out, err
}
