package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Hosts of a lab's /24.
const (
	hostRoot      = 1  // the root's server
	hostParent    = 2  // the server of org. and its like
	hostPebble    = 14 // the ACME CA
	hostMX        = 25 // Postfix and Dovecot
	hostSecondMX  = 26 // Postfix
	hostPrimary   = 53
	hostSecondary = 54
	hostUnsigned  = 55 // a primary that does not sign its replies
	hostThird     = 56 // added secondaries
	hostFourth    = 57
	hostResolver  = 60  // the resolver that is no sender's
	hostResolvers = 101 // the first sender's resolver

	// Resolvers that are not to be believed.
	hostNoValidator = 61
	hostWrongAnchor = 62

	hostPebbleResolver = 63 // the CA's own

	// Of servers within the test's process: see spare. Those after the last resolver, then
	// those before the first.
	hostSpare       = hostResolvers + maxResolvers
	hostSpareLast   = 254
	hostSpareBefore = hostPebbleResolver + 1
)

const maxResolvers = 100

// nameServers are the hosts of ns1.example.org., the primary, and those after it.
var nameServers = []byte{hostPrimary, hostSecondary, hostThird, hostFourth}

// A block is a /24 of the loopback net that is ours alone. It is held by an
// abstract Unix socket, which has the scope that addresses have (the network
// namespace) and cannot outlive the process.
type block struct {
	third byte
	lock  net.Listener
	added []netip.Addr

	mu      sync.Mutex
	spared  int // how many spare addresses were given away
	spared6 byte
}

var errBlockInUse = errors.New("in use (hint: by other labs, or a server that listens on all addresses)")

// takeBlock begins anywhere, so that a block that was just let go is not the next one's at
// once: who looks what is left of it sees what is left, and not what came since.
func takeBlock(ctx context.Context, hosts []byte) (*block, error) {
	begin := rand.IntN(100)
	for n := range 256 {
		b, err := tryBlock(ctx, byte(begin+n), hosts)
		if !errors.Is(err, errBlockInUse) {
			return b, err
		}
	}
	return nil, fmt.Errorf("address block: every /24 of 127.77.0.0/16 is %w", errBlockInUse)
}

func tryBlock(ctx context.Context, third byte, hosts []byte) (*block, error) {
	lock, err := new(net.ListenConfig).Listen(ctx, "unix", fmt.Sprintf("@tlsaroll-lab-127.77.%d", third))
	if errors.Is(err, syscall.EADDRINUSE) {
		err = errBlockInUse
	}
	if err != nil {
		return nil, fmt.Errorf("address block 127.77.%d.0/24: %w", third, err)
	}
	b := &block{third: third, lock: lock}
	if err := errors.Join(b.add(ctx, hosts), b.silent(ctx)); err != nil {
		return nil, errors.Join(err, b.release(ctx))
	}
	return b, nil
}

// silent makes sure that nothing listens in the block: the servers of a lab that
// was killed may take a moment to go, and others may listen on all addresses.
func (b *block) silent(ctx context.Context) error {
	for _, a := range b.added {
		for _, port := range []uint16{25, 53, 953, 993, powerDNSPort, pebblePort, pebbleManagement} {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(a, port).String())
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("%s port %d: %w", a, port, errBlockInUse)
			}
			if err != nil {
				return fmt.Errorf("%s port %d: %w", a, port, err)
			}
			if err := l.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *block) addr(host byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 77, b.third, host}) }

// addr6 is the address of IPv6 beside one of IPv4, of a prefix that is nobody's (RFC 4193).
func (b *block) addr6(host byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfd, 127, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b.third, 0, host})
}

// spare6 is one of these that nobody had yet. It fails where the machine has no IPv6.
func (b *block) spare6(ctx context.Context) (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spared6++
	a := b.addr6(b.spared6)
	if err := ipAddr(ctx, "add", []netip.Addr{a}); err != nil {
		return a, err
	}
	b.added = append(b.added, a)
	return a, nil
}

// spare is an address of the block that nobody had yet. Programs written in Go listen on it
// as it is: the whole of 127.0.0.0/8 is loopback.
func (b *block) spare() (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := hostSpare + b.spared
	if n > hostSpareLast {
		n += hostSpareBefore - hostSpareLast - 1
	}
	if n == hostResolvers {
		return netip.Addr{}, fmt.Errorf("address block: no address is left after %d spare ones", b.spared)
	}
	b.spared++
	return b.addr(byte(n)), nil
}

// add gives the loopback interface the addresses: BIND and Postfix only listen
// on addresses that an interface has. What a lab left there that was killed goes first.
func (b *block) add(ctx context.Context, hosts []byte) error {
	stale, err := b.present()
	if err != nil {
		return err
	}
	if err := ipAddr(ctx, "del", stale); err != nil {
		return err
	}
	for _, h := range hosts {
		b.added = append(b.added, b.addr(h))
	}
	return ipAddr(ctx, "add", b.added)
}

// present returns the addresses of the block that an interface has.
func (b *block) present() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("address block 127.77.%d.0/24: %w", b.third, err)
	}
	within, within6 := netip.PrefixFrom(b.addr(0), 24), netip.PrefixFrom(b.addr6(0), 112)
	var found []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && (within.Contains(p.Addr()) || within6.Contains(p.Addr())) {
			found = append(found, p.Addr())
		}
	}
	return found, nil
}

func (b *block) release(ctx context.Context) error {
	err := ipAddr(ctx, "del", b.added)
	return errors.Join(err, b.lock.Close())
}

func ipAddr(ctx context.Context, verb string, addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return nil
	}
	var batch strings.Builder
	for _, a := range addrs {
		flags := ""
		if a.Is6() && verb == "add" {
			flags = " nodad" // it is there at once: nobody else can have it
		}
		fmt.Fprintf(&batch, "addr %s %s/%d dev lo%s\n", verb, a, a.BitLen(), flags)
	}
	cmd := exec.CommandContext(ctx, "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip addr %s: %w: %s", verb, err, strings.TrimSpace(string(out)))
	}
	return nil
}
