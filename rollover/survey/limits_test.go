package survey

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// TestManyHostsAndAddresses: what is beyond the limits is not looked at, and said to be so.
func TestManyHostsAndAddresses(t *testing.T) {
	var records []string
	for i := range mostHosts + 2 {
		records = append(records, fmt.Sprintf("d.example. 60 IN MX %d mx%d.example.", i, i))
	}
	for i := range mostAddresses + 3 {
		records = append(records, fmt.Sprintf("mx0.example. 60 IN A 192.0.2.%d", i+1))
	}
	w := newWorld(t, records...)
	d := w.round().Domain(t.Context(), "d.example")
	if len(d.Hosts) != mostHosts+2 || len(d.Hosts[0].Addresses) != mostAddresses+3 {
		t.Fatalf("%d hosts, %d addresses", len(d.Hosts), len(d.Hosts[0].Addresses))
	}
	for i, h := range d.Hosts {
		name := fmt.Sprintf("mx%d.example", i)
		if h.Name != name || int(h.Preference) != i || (w.asked[name+". A"] > 0) != (i < mostHosts) || (h.Reach.Err == "") != (i < mostHosts) {
			t.Errorf("%s: %s %d %+v", name, h.Name, h.Preference, h.Reach)
		}
	}
	for i, a := range d.Hosts[0].Addresses {
		if a.Beyond != (i >= mostAddresses) || (a.Untested == "") == a.Beyond || (w.asked[a.Address.String()] > 0) == a.Beyond {
			t.Errorf("%s: %q, asked %d times", a.Address, a.Untested, w.asked[a.Address.String()])
		}
	}
	r := audit.Judge(d)
	if f := r.Hosts[0].Findings; len(f) == 0 || f[0].Code != rollover.CodeEndpointUnseen || !strings.Contains(fmt.Sprint(f), "of 35 addresses 32 are asked: 192.0.2.33, 192.0.2.34 and 192.0.2.35 were not asked") {
		t.Errorf("%+v", f)
	}
}

// TestServerThatTakesItsTime: one that answers each step just in time holds nobody for hours.
func TestServerThatTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		defer all.Wait()
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			all.Go(func() { tarry(theirs) })
			return ours, nil
		}
		w := newWorld(t)
		s, err := New(Config{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Now: time.Now, Dial: dial, Exchange: w.exchange})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		a := s.Round().address(t.Context(), visit{probe.Endpoint{Scheme: "smtp", Host: "mx.example", Port: 25}, netip.MustParseAddrPort("192.0.2.1:25")})
		if d := time.Since(begun); d > longest+time.Second {
			t.Errorf("it took %s", d)
		}
		if a.TLS == nil || !strings.Contains(a.TLS.Err, "not done in 10m0s") {
			t.Errorf("%+v", a.TLS)
		}
	})
}

// tarry is a server that does each step as late as it may, and then breaks TLS off.
func tarry(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for _, step := range []struct {
		late  time.Duration
		reply string
	}{{34 * time.Second, "220 mx ESMTP\r\n"}, {34 * time.Second, "250-mx\r\n250 STARTTLS\r\n"}, {14 * time.Second, "220 go ahead\r\n"}} {
		time.Sleep(step.late)
		if _, err := io.WriteString(c, step.reply); err != nil {
			return
		}
		if _, err := in.ReadString('\n'); err != nil { // of a ClientHello, supported_groups has one
			return
		}
	}
	time.Sleep(14 * time.Second)
	_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 40}) // handshake_failure
}
