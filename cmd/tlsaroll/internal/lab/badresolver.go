package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/miekg/dns"
)

// A ResolverFault is why a resolver is not to be believed.
type ResolverFault string

// What can be wrong with a resolver.
const (
	NoValidator ResolverFault = "no validator" // it answers, and checks no signature
	WrongAnchor ResolverFault = "wrong anchor" // its trust anchor fits no key of the root
)

// BadResolver starts an Unbound that has a fault, one of each kind at most; it
// ends with the lab. It returns when it answers.
func (l *Lab) BadResolver(t testing.TB, fault ResolverFault) netip.AddrPort {
	t.Helper()
	at, err := l.badResolver(t.Context(), fault)
	if err != nil {
		t.Fatalf("lab: resolver with %s: %v", fault, err)
	}
	return at
}

func (l *Lab) badResolver(ctx context.Context, fault ResolverFault) (netip.AddrPort, error) {
	host, modules, anchor, want := byte(hostNoValidator), "iterator", l.path("resolvers/root.key"), dns.RcodeSuccess
	if fault == WrongAnchor {
		stranger, err := newSignedZone(".")
		if err != nil {
			return netip.AddrPort{}, err
		}
		host, modules, anchor, want = hostWrongAnchor, "validator iterator", l.path("resolvers/wrong.key"), dns.RcodeServerFailure
		if err := os.WriteFile(anchor, []byte(stranger.ds().String()+"\n"), 0o644); err != nil {
			return netip.AddrPort{}, err
		}
	}
	at := netip.AddrPortFrom(l.block.addr(host), 53)
	if err := l.startUnbound(at, modules, anchor); err != nil {
		return at, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return at, await(ctx, func(ctx context.Context) error {
		if err := l.ended(resolverName(at)); err != nil {
			return err
		}
		m, err := l.ask(ctx, at, Domain, dns.TypeNS)
		if err != nil {
			return err
		}
		if m.Rcode != want || m.AuthenticatedData {
			return fmt.Errorf("%s NS: %s, AD %t", Domain, dns.RcodeToString[m.Rcode], m.AuthenticatedData)
		}
		return nil
	})
}
