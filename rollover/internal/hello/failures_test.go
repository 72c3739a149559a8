package hello

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// TestFailures has servers that answer no question; whether they are asked again.
func TestFailures(t *testing.T) {
	hello := func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
	for name, r := range map[string]struct {
		talk        func(c net.Conn)
		err         string // a part
		connections int32
	}{
		"words": {func(c net.Conn) { hello(c); _, _ = io.WriteString(c, "421 no") }, "does not speak TLS", 2},
		// A server that refuses everything has said so: five versions, and key shares.
		"refuses":  {func(c net.Conn) { hello(c); _, _ = c.Write([]byte{recordAlert, 3, 1, 0, 2, 2, 40}) }, "", 6},
		"hangs up": {hello, "", 12},
	} {
		t.Run(name, func(t *testing.T) {
			at, count := serve(t, r.talk)
			got := newScanner().All(t.Context(), endpoint, at)
			if len(got.Versions) > 0 || !strings.Contains(got.Err, r.err) || (r.err == "") != (got.Err == "") {
				t.Errorf("%+v", got)
			}
			if n := count.Load(); n != r.connections {
				t.Errorf("%d connections, want %d", n, r.connections)
			}
		})
	}
}

// TestOnce has a server that hangs up once, which is chance.
func TestOnce(t *testing.T) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate(t, keys()["ecdsa"])}}
	var before atomic.Int32
	at, _ := serve(t, func(c net.Conn) {
		if before.Add(1) == 1 {
			_, _ = c.Read(make([]byte, 4096))
			return
		}
		_ = tls.Server(c, config).Handshake()
	})
	if got := newScanner().Versions(t.Context(), endpoint, at); !slices.Equal(got.Versions, []uint16{tls.VersionTLS13}) || got.Err != "" {
		t.Errorf("%+v", got)
	}
}

// TestMost keeps what was found when there are too many connections.
func TestMost(t *testing.T) {
	at, count := serveTLS(t, nil, "ecdsa")
	s := newScanner()
	s.Most = 8
	got := s.All(t.Context(), endpoint, at)
	if len(got.Versions) != 4 || !strings.HasSuffix(got.Err, "not all was asked in 8 connections") || len(got.Suites[tls.VersionTLS12]) != 3 || count.Load() != 8 {
		t.Errorf("%d connections: %+v", count.Load(), got)
	}
}

// TestUnreachable is not asked for ever.
func TestUnreachable(t *testing.T) {
	at, _ := serve(t, func(net.Conn) {})
	got := newScanner().Versions(t.Context(), probe.Endpoint{Scheme: "smtp", Host: endpoint.Host, Port: 25}, at)
	if len(got.Versions) > 0 || !strings.Contains(got.Err, "greeting") {
		t.Errorf("%+v", got)
	}
}

// TestSilence has a server that says nothing, and a caller that gives up.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Scanner{Timeout: time.Minute, Prober: &probe.Prober{Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}}}
		at := netip.MustParseAddrPort("192.0.2.25:25")
		start := time.Now()
		if got := s.Versions(t.Context(), endpoint, at); !strings.HasSuffix(got.Err, "ClientHello: no answer in 1m0s") || time.Since(start) != 2*time.Minute {
			t.Errorf("%+v after %s", got, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := s.Versions(ctx, endpoint, at); got.Err != context.DeadlineExceeded.Error() {
			t.Errorf("%+v", got)
		}
	})
}

// TestShares has a server that wants key shares, which it may not.
func TestShares(t *testing.T) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate(t, keys()["ecdsa"])}}
	at, _ := serve(t, func(c net.Conn) {
		buffer := make([]byte, 4096)
		n, _ := c.Read(buffer)
		// An empty list of key shares is the last extension.
		if n > 6 && string(buffer[n-6:n]) == "\x00\x33\x00\x02\x00\x00" {
			_, _ = c.Write([]byte{recordAlert, 3, 3, 0, 2, 2, 47})
			return
		}
		_ = tls.Server(&readAgain{c, buffer[:n]}, config).Handshake()
	})
	got := newScanner().All(t.Context(), endpoint, at)
	if !slices.Equal(got.Versions, []uint16{tls.VersionTLS13}) || got.Err != "" || len(got.Suites[tls.VersionTLS13]) != 3 || !slices.Contains(got.Groups, "x25519") {
		t.Errorf("%+v", got)
	}
}

// readAgain gives what was read before.
type readAgain struct {
	net.Conn
	first []byte
}

func (c *readAgain) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
