package rfc2136

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Config says which server to update, and with which key.
type Config struct {
	// Name stands for the provider in errors. Default: "rfc2136".
	Name string
	// Server is the primary server, a name or an address with or without a port
	// (53, with TLS 853). Default: the MNAME of the zone's SOA.
	Server string
	// Zone is the zone that the key may change. Default: the one found for each name.
	Zone string

	// KeyName is the name of the TSIG key, exactly as the server knows it.
	KeyName string
	// Algorithm is hmac-sha224, -sha256, -sha384 or -sha512; hmac-sha1 only if named
	// here. Default: hmac-sha256.
	Algorithm string
	// Secret is the key itself.
	Secret Secret
	// Unsigned allows to work without a key, on a server that goes by addresses.
	// Then nothing that it says can be proven.
	Unsigned bool
	// GSS signs with GSS-TSIG (RFC 3645) instead of a key, as Active Directory wants.
	// It needs a program built with the tag gsstsig.
	GSS *GSS

	// TLS has the server reached over TLS. Nil: in the clear.
	TLS *TLS

	// Timeout is how long a server may take to connect and for each reply. Default: 10s.
	Timeout time.Duration
	// ReadBack is how long a change that the server confirmed may take to be seen
	// there: servers that sign in the background are late. Default: 5s.
	ReadBack time.Duration
	// MaxBatch is the largest number of owners in one message. Default: 250.
	MaxBatch int

	// Resolver is the recursive resolver asked (over TCP) for what is not configured.
	// Default: the first nameserver of /etc/resolv.conf.
	Resolver string
	// Dial connects. Default: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock that requests are signed by; required.
	Now func() time.Time
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const (
	defaultTimeout  = 10 * time.Second
	defaultReadBack = 5 * time.Second
	defaultMaxBatch = 250
	defaultPort     = "53"
)

// A Provider changes RRsets by dynamic update. Its exchanges with servers are one at a
// time: a server may refuse a request that was signed before one it has seen (RFC
// 8945, section 5.2.3).
type Provider struct {
	name        string
	server      string      // host:port; "" is to be found
	port        string      // of a server that is found
	tls         *tls.Config // nil: in the clear
	zone        string      // canonical; "" is to be found
	key         *key        // nil: unsigned, or to be negotiated
	negotiator  negotiator  // nil: there is nothing to negotiate
	timeout     time.Duration
	readBackFor time.Duration
	maxBatch    int
	resolver    string // host:port; "" is that of the host
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	now         func() time.Time
	log         *slog.Logger

	kept *kept         // connections
	turn chan struct{} // holds one token while nobody talks to a server
}

var _ dnsprovider.Provider = (*Provider)(nil)

// New checks the configuration and connects to nothing. The error names everything
// that is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	p := &Provider{
		name: c.Name, timeout: c.Timeout, readBackFor: c.ReadBack, maxBatch: c.MaxBatch,
		dial: c.Dial, now: c.Now, log: c.Log, kept: newKept(), turn: make(chan struct{}, 1),
	}
	if p.name == "" {
		p.name = "rfc2136"
	}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	var err error
	p.zone, err = dnsprovider.CanonicalZone(c.Zone)
	check(err)
	p.port = c.port()
	p.server, err = parseServer("server", c.Server, p.port)
	check(err)
	p.resolver, err = parseServer("resolver", c.Resolver, defaultPort)
	check(err)
	p.tls, err = p.parseTLS(c.TLS)
	check(err)
	p.key, err = parseKey(c)
	check(err)
	check(p.defaults())
	if c.GSS != nil {
		p.negotiator, err = newNegotiator(p, c)
		check(err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.turn <- struct{}{}
	return p, nil
}

func (p *Provider) defaults() error {
	switch {
	case p.timeout < 0 || p.readBackFor < 0:
		return fmt.Errorf("timeouts of %s and %s: below zero", p.timeout, p.readBackFor)
	case p.maxBatch < 0:
		return fmt.Errorf("batches of %d owners: below zero", p.maxBatch)
	case p.now == nil:
		return errors.New("no clock")
	}
	if p.timeout == 0 {
		p.timeout = defaultTimeout
	}
	if p.readBackFor == 0 {
		p.readBackFor = defaultReadBack
	}
	if p.maxBatch == 0 {
		p.maxBatch = defaultMaxBatch
	}
	if p.dial == nil {
		p.dial = new(net.Dialer).DialContext
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// parseServer brings a server into the form host:port, the host a name without
// trailing dot or an address.
func parseServer(what, s, usual string) (string, error) {
	if s == "" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), usual // no port; or an IPv6 address without brackets
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%s %q: %q is not a port", what, s, port)
	}
	if net.ParseIP(withoutScope(host)) == nil {
		if host, err = tlsa.CanonicalHost(host); err != nil {
			return "", fmt.Errorf("%s %q: %w", what, s, err)
		}
	}
	return net.JoinHostPort(host, port), nil
}

// parseKey makes the key, or nil where there is none and need be none.
func parseKey(c Config) (*key, error) {
	switch {
	case c.GSS != nil:
		if c.KeyName != "" || !c.Secret.empty() || c.Unsigned {
			return nil, errors.New("GSS-TSIG and a TSIG key, or unsigned updates: one or the other")
		}
		return nil, nil
	case c.KeyName == "" && c.Secret.empty():
		if !c.Unsigned {
			return nil, errors.New("no TSIG key (hint: set key, algorithm and secret-file; tsig-keygen makes a key)")
		}
		return nil, nil
	case c.Unsigned:
		return nil, fmt.Errorf("key %q and unsigned updates: one or the other", c.KeyName)
	case c.KeyName == "":
		return nil, errors.New("a TSIG secret and no name of the key (hint: the name has to be the one that the server knows)")
	case c.Secret.empty():
		return nil, fmt.Errorf("key %q: no secret", c.KeyName)
	}
	name, err := tlsa.ParseOwner(c.KeyName)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	algorithm, hash, err := parseAlgorithm(c.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", c.KeyName, err)
	}
	secret, err := c.Secret.octets()
	if err != nil {
		return nil, fmt.Errorf("key %q: the secret is %w (hint: the secret alone, not the whole key block of the server's configuration)", c.KeyName, err)
	}
	return &key{name: string(name), algorithm: algorithm, macs: secretHash{hash, func() []byte { return secret }}}, nil
}

// withoutScope takes the interface off an IPv6 address (RFC 4007, section 11).
func withoutScope(host string) string {
	address, _, _ := strings.Cut(host, "%")
	return address
}
