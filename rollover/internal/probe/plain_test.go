package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestPlain has a connection that stands where TLS is due, and nothing said too early.
func TestPlain(t *testing.T) {
	strayed := make(chan error, 1)
	at := serve(t, func(c net.Conn) { strayed <- append(smtpTalk[:10:10], "C: hello", "raw octets", "close").play(c, nil) })
	p := &Prober{Hello: "probe.example"}
	c, err := p.Plain(t.Context(), Endpoint{"smtp", "mx.example", 25}, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "hello\r\n"); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(c); string(b) != "octets" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	c.Close()
	c.Close() // twice does no harm
	if err := <-strayed; err != nil {
		t.Error(err)
	}
}

func TestPlainFailures(t *testing.T) {
	refuses := serve(t, func(c net.Conn) { _ = script{"S: 554 no", "C: QUIT", "S: 221 bye"}.play(c, nil) })
	for name, e := range map[string]Endpoint{
		"the server said": {"smtp", "mx.example", 25},
		"unknown scheme":  {"smtps", "mx.example", 465},
	} {
		p := &Prober{Hello: "probe.example"}
		if c, err := p.Plain(t.Context(), e, refuses); err == nil || c != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, %v", e, c, err)
		}
	}
}

// TestPlainAlone has the next connection wait for the one before, and none outlive its
// context.
func TestPlainAlone(t *testing.T) {
	at := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	p := new(Prober)
	ctx, cancel := context.WithCancel(t.Context())
	first, err := p.Plain(ctx, endpoint, at)
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := p.Plain(short, endpoint, at); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second did not wait: %v", err)
	}
	cancel()
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read after the end: %v", err)
	}
	first.Close()
	second, err := p.Plain(t.Context(), endpoint, at)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}
