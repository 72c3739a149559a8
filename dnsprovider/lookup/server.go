package lookup

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A Source says who names a server.
type Source string

// Where servers come from.
const (
	SourceParent   Source = "parent"
	SourceChild    Source = "child"
	SourceBoth     Source = "parent and child"
	SourceHidden   Source = "hidden"   // the configuration
	SourceRetained Source = "retained" // nobody any more; caches may still name it
	SourceResolver Source = "resolver" // the resolver alone: neither parent nor child could be asked
)

// and is what s and t together say of one address.
func (s Source) and(t Source) Source {
	switch {
	case s == t || t == SourceHidden || t == SourceResolver:
		return s
	case s == SourceHidden || s == SourceResolver:
		return t
	}
	return SourceBoth
}

// A server is one address of one name server of a zone.
type server struct {
	name   string // "" for a hidden one given by address
	addr   netip.AddrPort
	source Source
	ttl    time.Duration // how long a cache may send questions there
}

func (s server) String() string { return label(s.name, s.addr) }

func label(name string, addr netip.AddrPort) string {
	where := addr.String()
	if addr.Port() == defaultPort {
		where = addr.Addr().String()
	}
	if name == "" {
		return where
	}
	if !addr.IsValid() {
		return name
	}
	return name + " (" + where + ")"
}

func compareServers(a, b server) int {
	return cmp.Or(cmp.Compare(a.name, b.name), a.addr.Compare(b.addr))
}

// matches reports whether one of the configuration's words means the server: its
// name, its address, or its address with port.
func (s server) matches(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		if addr, err := netip.ParseAddr(word); err == nil {
			return addr.Unmap() == s.addr.Addr()
		}
		if addr, err := netip.ParseAddrPort(word); err == nil {
			return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()) == s.addr
		}
		return s.name != "" && dns.CanonicalName(word) == s.name
	})
}

// means reports whether a word of the configuration means one of the servers.
func means(word string, servers []Server) bool {
	return slices.ContainsFunc(servers, func(s Server) bool { return server{name: s.Name, addr: s.Address}.matches([]string{word}) })
}

// parseHidden reads a hidden server: an address or a host name, with or without port.
func parseHidden(word string, port uint16) (name string, addr netip.AddrPort, err error) {
	if a, err := netip.ParseAddr(word); err == nil {
		return "", netip.AddrPortFrom(a.Unmap(), port), nil
	}
	if a, err := netip.ParseAddrPort(word); err == nil {
		return "", netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
	}
	if host, p, err := net.SplitHostPort(word); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", netip.AddrPort{}, fmt.Errorf("hidden server %q: port %q is not a number from 1 to 65535", word, p)
		}
		word, port = host, uint16(n)
	}
	if _, ok := dns.IsDomainName(word); !ok || word == "" || strings.ContainsAny(word, " /:") {
		return "", netip.AddrPort{}, fmt.Errorf("hidden server %q: neither an address nor a host name", word)
	}
	return dns.CanonicalName(word), netip.AddrPortFrom(netip.Addr{}, port), nil
}

// Validate says which of the zone's servers cannot be understood, all of them.
func (z Zone) Validate() error {
	var errs []error
	for _, word := range z.Hidden {
		_, _, err := parseHidden(word, defaultPort)
		errs = append(errs, err)
	}
	for _, word := range z.Exclude {
		if _, err := netip.ParseAddrPort(word); err == nil {
			continue
		}
		if name, addr, err := parseHidden(word, defaultPort); err != nil || (name != "" && addr.Port() != defaultPort) {
			errs = append(errs, fmt.Errorf("excluded server %q: neither an address, with or without port, nor a host name", word))
		}
	}
	return errors.Join(errs...)
}

// private reports whether nobody outside can reach a.
func private(a netip.Addr) bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) // RFC 6598
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || shared.Contains(a)
}
