package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// text reads a scalar as it is written: 0600 stays 0600, and 1 in a list of
// arguments is the argument "1".
func (v value) text(hint string) (string, bool) {
	v, ok := v.resolve()
	if !ok {
		return "", false
	}
	s, ok := v.scalarText()
	if !ok {
		what := "a mapping"
		if _, ok := v.node.(*ast.SequenceNode); ok {
			what = "a list"
		}
		v.fail(what+" where one value belongs", hint)
		return "", false
	}
	if strings.TrimSpace(s) == "" {
		v.fail("empty", hint)
		return "", false
	}
	return s, true
}

// flag reads true or false into to.
func (f *fields) flag(name string, to *bool) {
	v, ok := f.take(name)
	if !ok {
		return
	}
	if n, ok := v.node.(*ast.BoolNode); ok {
		*to = n.Value
		return
	}
	if s, ok := v.text("write true or false"); ok {
		if s == "true" || s == "false" {
			v.fail(fmt.Sprintf("%q is a text", s), "write "+s+" without quotes")
			return
		}
		v.fail(fmt.Sprintf("%q is neither true nor false", s), "write true or false")
	}
}

// whole reads a number from lo to hi into to.
func (f *fields) whole(name string, to *int, lo, hi int) {
	hint := fmt.Sprintf("write a whole number from %d to %d", lo, hi)
	v, ok := f.take(name)
	if !ok {
		return
	}
	s, ok := v.text(hint)
	if !ok {
		return
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		v.fail(fmt.Sprintf("%q is out of range", s), hint)
		return
	}
	*to = n
}

// choice reads one of a few words into to.
func choice[T ~string](f *fields, name string, to *T, choices ...T) {
	v, ok := f.take(name)
	if !ok {
		return
	}
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	all := "write one of " + strings.Join(words, ", ")
	s, ok := v.text(all)
	if !ok {
		return
	}
	if !slices.Contains(words, s) {
		v.fail(fmt.Sprintf("unknown %s %q", name, s), suggest.Hint(s, words, "write one of "))
		return
	}
	*to = T(s)
}

// address reads an IP address into to.
func (v value) address() (netip.Addr, bool) {
	const hint = "write the address alone, as in 192.0.2.1 or 2001:db8::1"
	s, ok := v.text(hint)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		v.fail(fmt.Sprintf("%q is not an IP address", s), hint)
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// addressPort reads an IP address and a port; the port may be left out where
// there is a usual one.
func (v value) addressPort(usual uint16) (netip.AddrPort, bool) {
	hint := "write an address and a port, as in 127.0.0.1:465 or [2001:db8::1]:465"
	if usual != 0 {
		hint = "write an address, or an address and a port, as in 192.0.2.1 or [2001:db8::1]:53"
	}
	s, ok := v.text(hint)
	if !ok {
		return netip.AddrPort{}, false
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() != 0 {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
	}
	if usual != 0 {
		if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
			return netip.AddrPortFrom(a.Unmap(), usual), true
		}
		v.fail(fmt.Sprintf("%q is not an address", s), hint)
		return netip.AddrPort{}, false
	}
	v.fail(fmt.Sprintf("%q is not an address with a port", s), hint)
	return netip.AddrPort{}, false
}

// scalarText is a scalar's text, false for lists and mappings.
func (v value) scalarText() (string, bool) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), true
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return "", false
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	return "", false
}
