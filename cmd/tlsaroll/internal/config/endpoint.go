package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// service is a scheme of endpoint URLs and its port.
type service struct {
	scheme string
	port   uint16 // 0: the URL must say it
}

// services are the schemes and their ports: RFC 6409, RFC 8314, RFC 5804 and
// the registry of service names.
func services() []service {
	return []service{
		{"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"imap", 143}, {"imaps", 993},
		{"pop3", 110}, {"pop3s", 995}, {"sieve", 4190}, {"tls", 0},
	}
}

// ParseEndpoint reads a URL such as smtp://mx1.example.org or
// tls://mx1.example.org:8443. Host names in other scripts become A-labels.
func ParseEndpoint(s string) (Endpoint, error) {
	e, err := parseEndpoint(s)
	if err != nil {
		return e, fmt.Errorf("endpoint %q: %w", s, err)
	}
	return e, nil
}

func parseEndpoint(s string) (Endpoint, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Endpoint{}, fmt.Errorf("no scheme (hint: write smtp://%s, or another scheme)", s)
	}
	scheme = strings.ToLower(scheme)
	var names []string
	for _, s := range services() {
		names = append(names, s.scheme)
	}
	at := slices.Index(names, scheme)
	if at < 0 {
		return Endpoint{}, fmt.Errorf("unknown scheme %q (hint: %s)", scheme, suggest.Hint(scheme, names, "write one of "))
	}
	e := Endpoint{Scheme: scheme, Port: services()[at].port}
	host, port, hasPort := strings.Cut(strings.TrimSuffix(rest, "/"), ":")
	if strings.ContainsAny(rest, "[]") || isAddress(host) {
		return Endpoint{}, fmt.Errorf("%q is an address, and TLSA records stand at names (hint: write the host's name, and the address under address)", rest)
	}
	if strings.ContainsAny(host, "/?#@") || strings.ContainsAny(port, "/?#@") {
		return Endpoint{}, fmt.Errorf("more than scheme, host and port (hint: write %s://mx1.example.org)", scheme)
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Endpoint{}, fmt.Errorf("%q is not a port (hint: write a number from 1 to 65535)", port)
		}
		e.Port = uint16(n)
	}
	if e.Port == 0 {
		return Endpoint{}, fmt.Errorf("tls has no port of its own (hint: write tls://%s:8443, with the service's port)", host)
	}
	var err error
	if e.Host, err = Host(host); err != nil {
		return Endpoint{}, err
	}
	if !strings.Contains(e.Host, ".") {
		return Endpoint{}, fmt.Errorf("%q is not a full name (hint: write it whole, as in mx1.example.org)", e.Host)
	}
	e.URL = scheme + "://" + e.Host
	if e.Port != services()[at].port {
		e.URL += ":" + strconv.Itoa(int(e.Port))
	}
	return e, nil
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// endpoint reads one item of endpoints.
func (v value) endpoint() (Endpoint, bool) {
	at := v
	var e Endpoint
	if _, ok := v.scalarText(); !ok {
		f, ok := v.mapping("write smtp://mx1.example.org, or {url: smtp://mx1.example.org, address: [127.0.0.1:25]}")
		if !ok {
			return e, false
		}
		f.addressPorts("address", &e.Address)
		if p, ok := f.take("provider"); ok {
			e.Provider = p.provider()
		}
		at, ok = f.take("url")
		f.done()
		if !ok {
			if !f.has("url") {
				v.fail("no url", "write url: smtp://mx1.example.org")
			}
			return e, false
		}
	}
	s, ok := at.text("write smtp://mx1.example.org")
	if !ok {
		return e, false
	}
	parsed, err := parseEndpoint(s)
	if err != nil {
		at.failed(err, "write smtp://mx1.example.org")
		return e, false
	}
	parsed.Address, parsed.Provider = e.Address, e.Provider
	return parsed, true
}

// addressPorts reads addresses with ports into to.
func (f *fields) addressPorts(name string, to *[]netip.AddrPort) {
	v, ok := f.take(name)
	if !ok {
		return
	}
	for _, item := range v.list() {
		if ap, ok := item.addressPort(0); ok {
			if slices.Contains(*to, ap) {
				item.fail("is given twice", "keep one")
				continue
			}
			*to = append(*to, ap)
		}
	}
}

// SchemeOf is the scheme whose services have a port unless a URL says otherwise, "" if
// there is none.
func SchemeOf(port uint16) string {
	for _, s := range services() {
		if s.port == port && port != 0 {
			return s.scheme
		}
	}
	return ""
}
