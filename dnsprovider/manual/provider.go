package manual

import (
	"context"
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

// Config says who is told, and where it is seen that the change was made.
type Config struct {
	// Name stands for the provider in errors and notices. Default: "manual".
	Name string
	// Zone is the zone that the person changes. Default: the one found for each name.
	Zone string
	// Server is the zone's primary, a name or an address with or without a port (53).
	// Default: the MNAME of the zone's SOA.
	Server string

	// Tell are the ways in which the person is told, each of them; it counts as told where
	// one went well. None: the log is all there is, beside what Apply returns.
	Tell []Tell
	// Told is the file that keeps what was told. Its directory has to be there. Default: it
	// is not kept, and told again after a restart.
	Told string
	// Host is this host's name, for notices.
	Host string

	// Timeout is how long a server may take to connect and for each reply. Default: 10s.
	Timeout time.Duration
	// Resolver is the recursive resolver asked (over TCP) for what is not configured.
	// Default: the first nameserver of /etc/resolv.conf.
	Resolver string
	// Dial connects. Default: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock by which the person is reminded; required.
	Now func() time.Time
	// Log takes notices, and what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const (
	defaultTimeout = 10 * time.Second
	defaultPort    = "53"
)

// A Provider has a person change RRsets.
type Provider struct {
	name     string
	zone     string // canonical; "" is to be found
	server   string // host:port; "" is to be found
	ways     []Tell
	host     string
	timeout  time.Duration
	resolver string // host:port; "" is that of the host
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	now      func() time.Time
	log      *slog.Logger

	told    told
	telling chan struct{} // holds one token while nobody is being told
}

var _ dnsprovider.Provider = (*Provider)(nil)

// New checks the configuration and connects to nothing. The error names everything
// that is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	p := &Provider{
		name: c.Name, ways: c.Tell, host: c.Host, timeout: c.Timeout, dial: c.Dial, now: c.Now, log: c.Log,
		telling: make(chan struct{}, 1), told: told{file: c.Told},
	}
	if p.name == "" {
		p.name = "manual"
	}
	if p.timeout == 0 {
		p.timeout = defaultTimeout
	}
	if p.dial == nil {
		p.dial = new(net.Dialer).DialContext
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
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
	p.server, err = parseServer("server", c.Server)
	check(err)
	p.resolver, err = parseServer("resolver", c.Resolver)
	check(err)
	if p.timeout < 0 {
		check(fmt.Errorf("a timeout of %s: below zero", p.timeout))
	}
	if p.now == nil {
		check(errors.New("no clock"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.telling <- struct{}{}
	return p, nil
}

// parseServer brings a server into the form host:port, the host a name without
// trailing dot or an address.
func parseServer(what, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), defaultPort // no port; or an IPv6 address without brackets
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

// withoutScope takes the interface off an IPv6 address (RFC 4007, section 11).
func withoutScope(host string) string {
	address, _, _ := strings.Cut(host, "%")
	return address
}

// The operations that errors name.
const (
	opRead   = "read"
	opChange = "change"
)

// RRset reads the TLSA RRset at the zone's primary, see [dnsprovider.Provider].
func (p *Provider) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	fail := func(t *trouble) (tlsa.RRset, error) { return tlsa.RRset{}, p.about(opRead, owner, t) }
	if canonical, err := tlsa.ParseOwner(string(owner)); err != nil || canonical != owner {
		return fail(&trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("owner name %q: not canonical", string(owner))})
	}
	name, t := p.zoneOf(ctx, zone, owner)
	if t != nil {
		return fail(t)
	}
	found, t := p.read(ctx, name, owner)
	if t != nil {
		return fail(t)
	}
	p.saw(owner, found)
	return found, nil
}
