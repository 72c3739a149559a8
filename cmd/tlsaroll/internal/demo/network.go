package demo

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// A network is the world's: what is sent to one of its addresses goes to a socket
// on loopback. Other addresses lead nowhere, so that nothing leaves this host.
// It is filled before anybody uses it.
type network struct {
	udp, tcp map[netip.AddrPort]string
}

func newNetwork() network {
	return network{map[netip.AddrPort]string{}, map[netip.AddrPort]string{}}
}

// place puts a nameserver at an address.
func (n network) place(at netip.AddrPort, s *nameserver) {
	n.udp[at], n.tcp[at] = s.packets.LocalAddr().String(), s.listener.Addr().String()
}

// dial connects to a TCP service of the world.
func (n network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || n.tcp[at] == "" {
		return nil, nowhere(address)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", n.tcp[at])
}

// tryTimeout is what one try to get an answer may take.
const tryTimeout = 2 * time.Second

// exchange asks a nameserver of the world once.
func (n network) exchange(ctx context.Context, m *dns.Msg, network string, at netip.AddrPort) (*dns.Msg, error) {
	places := map[string]map[netip.AddrPort]string{"udp": n.udp, "tcp": n.tcp}[network]
	if places[at] == "" {
		return nil, nowhere(at.String())
	}
	client := dns.Client{Net: network, UDPSize: dns.DefaultMsgSize, Timeout: tryTimeout}
	r, _, err := client.ExchangeContext(ctx, m, places[at])
	return r, err
}

func nowhere(address string) error {
	return fmt.Errorf("%s: nobody is there: the demo has a world of its own", address)
}
