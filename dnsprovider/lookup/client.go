package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Config says through whom and how a [Client] looks.
type Config struct {
	// Resolver is the validating resolver.
	Resolver netip.AddrPort
	// TrustResolver believes the resolver's AD bit although it is not on
	// loopback. The path to it must then be safe by other means (RFC 4035,
	// section 4.9.3; RFC 7672, section 2.1.1).
	TrustResolver bool
	// SelfTestName is a name whose SOA question a validating resolver answers
	// with AD; "" is the root.
	SelfTestName string
	// Now is the clock of signatures' validity and of the self-test's age.
	Now func() time.Time
	// Port is that of authoritative servers; 0 is 53.
	Port uint16
	// Timeout is of one try over UDP, 0 is 2s; one over TCP gets two and a half times that.
	Timeout time.Duration
	// Exchange sends one question over "udp" or "tcp" and returns the reply to
	// it, until ctx ends; nil is the network. Safe for concurrent use.
	Exchange func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error)
}

// Zone is what the configuration says of one zone.
type Zone struct {
	// Hidden are authoritative servers that no NS record names: addresses, with
	// or without port, or host names.
	Hidden []string
	// Exclude are servers that are not to be asked, by host name or address.
	Exclude []string
	// Private says that the zone is not part of the public tree: private
	// addresses and a missing delegation are as they should be.
	Private bool
}

// A Client looks at DNS. It is safe for concurrent use.
type Client struct {
	cfg Config

	mu     sync.Mutex
	passed time.Time // when the resolver last passed its self-test
}

const (
	defaultTimeout = 2 * time.Second
	defaultPort    = 53
)

// New checks cfg and returns a client for it.
func New(cfg Config) (*Client, error) {
	var errs []error
	if !cfg.Resolver.IsValid() || cfg.Resolver.Port() == 0 {
		errs = append(errs, errors.New("lookup: resolver: no address and port (hint: name a validating resolver, as in 127.0.0.1:53)"))
	}
	if cfg.Now == nil {
		errs = append(errs, errors.New("lookup: no clock"))
	}
	if cfg.SelfTestName == "" {
		cfg.SelfTestName = "."
	}
	if _, ok := dns.IsDomainName(cfg.SelfTestName); !ok {
		errs = append(errs, fmt.Errorf("lookup: self-test name %q: no domain name", cfg.SelfTestName))
	}
	if cfg.Timeout < 0 {
		errs = append(errs, fmt.Errorf("lookup: timeout %s: below zero", cfg.Timeout))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.SelfTestName = dns.CanonicalName(cfg.SelfTestName)
	if cfg.Port == 0 {
		cfg.Port = defaultPort
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Exchange == nil {
		cfg.Exchange = exchange
	}
	return &Client{cfg: cfg}, nil
}
