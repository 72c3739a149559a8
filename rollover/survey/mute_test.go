package survey

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// TestMute: who does not even greet takes no mail in the clear either.
func TestMute(t *testing.T) {
	for greeting, mute := range map[string]bool{"220 mx ESMTP\r\n": false, "HTTP/1.1 400 Bad Request\r\n": true} {
		var all sync.WaitGroup
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			all.Go(func() {
				defer theirs.Close()
				_, _ = io.WriteString(theirs, greeting)
				for lines := bufio.NewScanner(theirs); lines.Scan(); {
					_, _ = io.WriteString(theirs, "250 mx\r\n")
				}
			})
			return ours, nil
		}
		w := newWorld(t)
		s, err := New(Config{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Now: time.Now, Dial: dial, Exchange: w.exchange, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		a := s.Round().address(t.Context(), visit{probe.Endpoint{Scheme: "smtp", Host: "mx.example", Port: 25}, netip.MustParseAddrPort("192.0.2.1:25")})
		for _, h := range a.Handshakes {
			if h.Outcome != rollover.NoTLS || h.Mute != mute {
				t.Errorf("%q: %+v", greeting, h)
			}
		}
		all.Wait()
	}
}
