package probe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var endpoint = Endpoint{"tls", "mx.example", 443}

// TestHandshakes makes one offer to servers of many kinds.
func TestHandshakes(t *testing.T) {
	change := func(c *tls.Config, f func(*tls.Config)) *tls.Config { f(c); return c }
	leaf := func(c *tls.Config) *x509.Certificate {
		return must(x509.ParseCertificate(c.Certificates[0].Certificate[0]))
	}
	tests := map[string]struct {
		config    *tls.Config
		algorithm string
		want      Outcome
		leaf      bool
		version   uint16
		err       string
	}{
		"rsa":                {with(t, "rsa"), "", Served, true, tls.VersionTLS13, ""},
		"rsa, asked for":     {with(t, "rsa"), RSA, Served, true, tls.VersionTLS12, ""},
		"rsa, not asked for": {with(t, "rsa"), ECDSA, NotOffered, false, 0, ""},
		"ecdsa":              {with(t, "ecdsa"), ECDSA, Served, true, tls.VersionTLS12, ""},
		"ecdsa, not asked":   {with(t, "ecdsa"), RSA, NotOffered, false, 0, ""},
		"ed25519":            {with(t, "ed25519"), "", Served, true, tls.VersionTLS13, ""},
		"ed25519, TLS 1.2":   {with(t, "ed25519"), ECDSA, Served, true, tls.VersionTLS12, ""},
		"ed25519, not asked": {with(t, "ed25519"), RSA, NotOffered, false, 0, ""},
		"rsa key transport only": {change(with(t, "rsa"), func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}), "", Served, true, tls.VersionTLS12, ""},
		"P-521 only": {change(with(t, "rsa"), func(c *tls.Config) {
			c.CurvePreferences = []tls.CurveID{tls.CurveP521}
		}), "", Served, true, tls.VersionTLS13, ""},
		"rc4 only": {change(with(t, "rsa"), func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		}), "", HandshakeFailed, false, 0, "remote error: tls: handshake failure"},
		"TLS 1.3 only": {change(with(t, "rsa"), func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }), RSA, AlgorithmUntested, false, 0,
			"remote error: tls: protocol version not supported (hint: TLS 1.2 is off, and in TLS 1.3 no algorithm can be asked for)"},
		"TLS 1.0 only": {change(with(t, "rsa"), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }), "", HandshakeFailed, false, 0,
			"remote error: tls: protocol version not supported (hint: TLS 1.2 or 1.3 is wanted, RFC 8996)"},
		"client certificate asked for": {change(with(t, "rsa"), func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }), "", Served, true, tls.VersionTLS13, ""},
		"client certificate demanded, TLS 1.2": {change(with(t, "rsa"), func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), RSA, HandshakeFailed, true, tls.VersionTLS12,
			"remote error: tls: handshake failure"},
		"unknown key type": {change(with(t, "ecdsa"), func(c *tls.Config) { strangeKey(t, c) }), "", AlgorithmUntested, false, 0,
			"tls: server's certificate contains an unsupported type of public key: <nil> (hint: other clients may take this certificate)"},
		"unreadable certificate": {change(with(t, "ecdsa"), func(c *tls.Config) { c.Certificates[0].Certificate[0] = []byte("nonsense") }), "", AlgorithmUntested, false, 0,
			"tls: failed to parse certificate from server: x509: malformed certificate (hint: other clients may take this certificate)"},
		"key of another certificate": {change(with(t, "ecdsa"), func(c *tls.Config) {
			c.Certificates[0].PrivateKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		}), "", HandshakeFailed, true, tls.VersionTLS13,
			"tls: invalid signature by the server certificate: ECDSA verification failure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			offer := Offer{SNI: true, Algorithm: tt.algorithm}
			got := new(Prober).Probe(t.Context(), endpoint, serveTLS(t, tt.config), offer)
			if got.Outcome != tt.want || got.Version != tt.version {
				t.Errorf("got %+v, want %s in %#x", got, tt.want, tt.version)
			}
			if tt.leaf && (got.Chain == nil || !got.Chain.Leaf().Equal(leaf(tt.config))) || !tt.leaf && got.Chain != nil {
				t.Errorf("got chain %v, want one: %t", got.Chain, tt.leaf)
			}
			if got.Err == nil && tt.err != "" || got.Err != nil && !strings.HasSuffix(got.Err.Error(), ": TLS handshake ("+offer.String()+"): "+tt.err) {
				t.Errorf("got error\n %v, want\n %s", got.Err, tt.err)
			}
		})
	}
}

// strangeKey makes the certificate's key one of an algorithm that nobody knows.
func strangeKey(t *testing.T, c *tls.Config) {
	t.Helper()
	der := c.Certificates[0].Certificate[0]
	ecPublicKey := []byte{0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}
	strange := bytes.Clone(ecPublicKey)
	strange[8] = 0x7f
	if bytes.Count(der, ecPublicKey) != 1 {
		t.Fatal("the certificate names its key's algorithm not once")
	}
	// The key stays at hand for the server, which knows it by its leaf.
	c.Certificates[0].Leaf = must(x509.ParseCertificate(der))
	c.Certificates[0].Certificate[0] = bytes.Replace(der, ecPublicKey, strange, 1)
}

// In TLS 1.3 the server's word on the client certificate comes after the
// client's part of the handshake is done.
func TestClientCertificateDemanded(t *testing.T) {
	config := with(t, "rsa")
	config.ClientAuth = tls.RequireAnyClientCert
	talk := script{"TLS", "S: 220 mx", "C: QUIT", "S: 221 bye"}
	addr := serve(t, func(c net.Conn) { talk.play(c, config) })
	got := new(Prober).Probe(t.Context(), Endpoint{"submissions", "mx.example", 465}, addr, Offer{})
	want := "submissions://mx.example at " + addr.String() + ": greeting: remote error: tls: certificate required"
	if got.Outcome != HandshakeFailed || got.Chain == nil || got.Err == nil || got.Err.Error() != want {
		t.Errorf("got %+v, want %s with a chain and\n %s", got, HandshakeFailed, want)
	}
}

func TestNoTLSWhereItIsDue(t *testing.T) {
	for name, tt := range map[string]struct {
		scheme, want string
		talk         script
	}{
		"after the go-ahead": {"smtp", `"502 n"`, append(script{"S: 220 mx", "C: EHLO [127.0.0.1]", "S: 250-mx\r\n250 STARTTLS", "C: STARTTLS", "S: 220 go", "wait 20ms"}, "S: 502 no", "hang")},
		"at once":            {"submissions", `"220 m"`, script{"S: 220 mx", "hang"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := must(ParseURL(tt.scheme + "://mx.example"))
			addr := serve(t, func(c net.Conn) {
				if err := tt.talk.play(c, nil); err != nil {
					t.Errorf("the server says: %v", err)
				}
			})
			got := new(Prober).Probe(t.Context(), e, addr, Offer{})
			want := e.String() + " at " + addr.String() + ": TLS handshake (no SNI): tls: first record does not look like a TLS handshake: " + tt.want
			if got.Outcome != ProtocolError || got.Err == nil || got.Err.Error() != want {
				t.Errorf("got %+v, want\n %s", got, want)
			}
		})
	}
}

// A session that was resumed shows no certificate, and one that could be says
// so in its ClientHello.
func TestClientHello(t *testing.T) {
	hellos := make(chan *tls.ClientHelloInfo, 1)
	config := with(t, "rsa", "ecdsa")
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { hellos <- h; return nil, nil }
	addr := serveTLS(t, config)
	p := new(Prober)
	for _, offer := range []Offer{{}, {SNI: true}, {false, RSA}, {true, ECDSA}, {true, ECDSA}} {
		if got := p.Probe(t.Context(), endpoint, addr, offer); got.Outcome != Served {
			t.Fatalf("%s: got %+v", offer, got)
		}
		h := <-hellos
		if want := map[bool]string{true: "mx.example"}[offer.SNI]; h.ServerName != want {
			t.Errorf("%s: named %q, want %q", offer, h.ServerName, want)
		}
		const sessionTicket, preSharedKey = 35, 41
		if slices.Contains(h.Extensions, sessionTicket) || slices.Contains(h.Extensions, preSharedKey) {
			t.Errorf("%s: offers to resume a session", offer)
		}
		for _, id := range h.CipherSuites {
			name := tls.CipherSuiteName(id)
			if tls13 := id>>8 == 0x13; tls13 && offer.Algorithm != "" || strings.Contains(name, "_ECDSA_") && offer.Algorithm == RSA ||
				strings.Contains(name, "_RSA_") && offer.Algorithm == ECDSA || strings.Contains(name, "RC4") || strings.Contains(name, "3DES") {
				t.Errorf("%s: offers %s", offer, name)
			}
		}
		if slices.Contains(h.SupportedCurves, tls.X25519MLKEM768) {
			t.Errorf("%s: offers a key that takes a packet of its own", offer)
		}
		if old := slices.ContainsFunc(h.SupportedVersions, func(v uint16) bool { return v < tls.VersionTLS12 }); old {
			t.Errorf("%s: offers versions %x", offer, h.SupportedVersions)
		}
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	got := new(Prober).Probe(t.Context(), endpoint, addr, Offer{})
	want := "tls://mx.example:443 at " + addr.String() + ": connect: connect: connection refused"
	if got.Outcome != Unreachable || got.Err == nil || got.Err.Error() != want {
		t.Errorf("got %+v, want\n %s", got, want)
	}
}

func TestConnectTimeout(t *testing.T) {
	p := &Prober{Timeout: time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	got := p.Probe(t.Context(), endpoint, netip.MustParseAddrPort("192.0.2.1:443"), Offer{})
	if want := "tls://mx.example:443 at 192.0.2.1:443: connect: no answer in 1ms"; got.Outcome != Unreachable || got.Err == nil || got.Err.Error() != want {
		t.Errorf("got %+v, want\n %s", got, want)
	}
	if !errors.Is(got.Err, context.DeadlineExceeded) {
		t.Error("is no deadline error")
	}
}

func TestProbeRefuses(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.1:25")
	p := &Prober{Dial: func(context.Context, string, string) (net.Conn, error) { panic("dialled") }}
	got := p.Probe(t.Context(), Endpoint{"gopher", "mx.example", 70}, addr, Offer{})
	if want := `gopher://mx.example:70 at 192.0.2.1:25: unknown scheme "gopher" (known: smtp, submission, submissions, imap, imaps, pop3, pop3s, sieve, tls)`; got.Outcome != Unreachable || got.Err.Error() != want {
		t.Errorf("got %+v, want\n %s", got, want)
	}
	p.Hello = "me\r\nQUIT"
	got = p.Probe(t.Context(), Endpoint{"smtp", "mx.example", 25}, addr, Offer{})
	if want := `smtp://mx.example at 192.0.2.1:25: name for EHLO "me\r\nQUIT": not a host name`; got.Outcome != Unreachable || got.Err.Error() != want {
		t.Errorf("got %+v, want\n %s", got, want)
	}
}

func TestLiteral(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		want string
	}{
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.25:1")), "[192.0.2.25]"},
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.25]:1")), "[192.0.2.25]"},
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::25]:1")), "[IPv6:2001:db8::25]"},
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[fe80::1%eth0]:1")), "[IPv6:fe80::1]"},
		{&net.UnixAddr{Name: "/run/x"}, "[127.0.0.1]"},
		{&net.TCPAddr{}, "[127.0.0.1]"},
	} {
		if got := literal(tt.addr); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.addr, got, tt.want)
		}
	}
}

// counted counts the connections that are open at a time.
type counted struct {
	mu        sync.Mutex
	now, most int
}

func (c *counted) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.most = max(c.most, c.now)
	return &countedConn{Conn: conn, close: sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
	})}, nil
}

type countedConn struct {
	net.Conn
	close func()
}

func (c *countedConn) Close() error { c.close(); return c.Conn.Close() }

func TestOneConnectionAtATime(t *testing.T) {
	a, b := serveTLS(t, with(t, "ecdsa")), serveTLS(t, with(t, "ecdsa"))
	var open counted
	p := &Prober{Dial: open.dial}
	probe := func(addrs ...netip.AddrPort) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				if got := p.Probe(t.Context(), endpoint, addrs[i%len(addrs)], Offer{}); got.Outcome != Served {
					t.Errorf("got %+v", got)
				}
			})
		}
		all.Wait()
	}
	probe(a)
	if open.most != 1 {
		t.Errorf("%d connections at a time, want 1", open.most)
	}
	probe(a, b)
	if open.most > 2 || open.now != 0 {
		t.Errorf("%d connections at a time to two addresses, want 2; %d are open still", open.most, open.now)
	}
}

func TestWaitingForTheLane(t *testing.T) {
	addr := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	first, cancelFirst := context.WithCancel(t.Context())
	dialled := make(chan struct{})
	p := &Prober{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		close(dialled) // a second time panics
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	done := make(chan Result)
	go func() { done <- p.Probe(first, endpoint, addr, Offer{}) }()
	<-dialled
	why := errors.New("enough")
	second, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if got := p.Probe(second, endpoint, addr, Offer{}); got.Outcome != Unreachable || !errors.Is(got.Err, why) {
		t.Errorf("got %+v", got)
	}
	cancelFirst()
	if got := <-done; got.Outcome != Unreachable || !errors.Is(got.Err, context.Canceled) {
		t.Errorf("got %+v", got)
	}
}
