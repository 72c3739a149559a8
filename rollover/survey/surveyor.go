package survey

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/hello"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
)

// Config says through whom and how a [Surveyor] looks.
type Config struct {
	// Resolver is the validating resolver; see [lookup.Config] for this and the next two.
	Resolver      netip.AddrPort
	TrustResolver bool
	ResolverTest  string
	// Zones are what is known of zones beforehand, by name.
	Zones map[string]lookup.Zone
	// Now is the clock.
	Now func() time.Time
	// Dial connects to mail servers and web servers; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Exchange puts DNS questions; nil is the network, see [lookup.Config].
	Exchange func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error)
	// Hello is the name to give in EHLO; "" is an address literal.
	Hello string
	// Roots are the CAs that browsers believe; nil are the host's.
	Roots *x509.CertPool
	// IssuerSets are what is known of CAs beforehand; they are handed on to who judges.
	IssuerSets []audit.IssuerSet
	// Thorough has every address asked for all that it agrees to: each TLS version and
	// cipher suite, with a connection for each. Else for versions alone.
	Thorough bool
	// Timeout is for each step at a server but the greeting, see [probe.Prober]; 0 is
	// its default.
	Timeout time.Duration
}

// A Surveyor looks at mail domains. It is safe for concurrent use.
type Surveyor struct {
	cfg    Config
	dns    *lookup.Client
	prober *probe.Prober
	hello  *hello.Scanner
}

// New checks cfg and returns a surveyor for it.
func New(cfg Config) (*Surveyor, error) {
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: cfg.Now, Exchange: cfg.Exchange})
	if err != nil {
		return nil, err
	}
	if cfg.Roots == nil {
		if cfg.Roots, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("survey: this host's CA certificates: %w (hint: install ca-certificates)", err)
		}
	}
	prober := &probe.Prober{Dial: cfg.Dial, Hello: cfg.Hello, Timeout: cfg.Timeout, Now: cfg.Now}
	return &Surveyor{cfg: cfg, dns: client, prober: prober, hello: &hello.Scanner{Prober: prober, Timeout: cfg.Timeout}}, nil
}

// A Round is one look at any number of domains. It is safe for concurrent use; what
// it has seen does not age, so make a new one for each look.
type Round struct {
	*Surveyor
	pass      *lookup.Pass
	hosts     memo[service, audit.Host]
	addresses memo[visit, audit.Address]
}

// Round begins a look.
func (s *Surveyor) Round() *Round { return &Round{Surveyor: s, pass: s.dns.NewPass(s.cfg.Zones)} }

// Trouble says why the resolver cannot be believed, nil if it can: without it nothing
// is learned of any domain.
func (r *Round) Trouble(ctx context.Context) error { return r.pass.SelfTest(ctx) }

// A memo makes each value once, however many ask for it.
type memo[K comparable, V any] struct{ made sync.Map }

func (m *memo[K, V]) get(key K, look func() V) V {
	once, _ := m.made.LoadOrStore(key, sync.OnceValue(look))
	return once.(func() V)()
}
