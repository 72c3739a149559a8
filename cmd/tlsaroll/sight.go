package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// A sight looks at mail domains and services, see [survey.Round].
type sight interface {
	// Trouble says why nothing can be learned.
	Trouble(ctx context.Context) error
	Domain(ctx context.Context, name string) audit.Domain
	Host(ctx context.Context, name string) audit.Domain
	Service(ctx context.Context, s survey.Service) audit.Host
}

// checkConfig is the configuration as far as it says how to look, nil where there is none:
// domains can be checked anywhere. One that was named has to be good.
func (p *program) checkConfig(o checkOptions) (*config.Config, error) {
	if _, err := os.Stat(p.configFile); errors.Is(err, fs.ErrNotExist) && !o.config {
		return nil, nil
	}
	cfg, err := p.withoutSecrets()
	if err != nil && !o.config {
		for _, line := range findings(err) {
			p.ui.warn("the configuration is not used: "+line, "")
		}
		return nil, nil
	}
	return cfg, err
}

// sight is the network, through the resolver that is to be used, unless tests stand in
// for it.
func (p *program) sight(ctx context.Context, o checkOptions, cfg *config.Config, roots *x509.CertPool) (sight, error) {
	through, err := p.wireSurvey(cfg)
	if err != nil {
		return nil, err
	}
	through.Roots, through.Thorough = roots, o.thorough
	if err := o.resolve(&through); err != nil {
		return nil, err
	}
	look := p.look
	if look == nil {
		look = network
	}
	s, err := look(through)
	if err != nil {
		return nil, err
	}
	return s, s.Trouble(ctx)
}

// network looks at the real one.
func network(through survey.Config) (sight, error) {
	s, err := survey.New(through)
	if err != nil {
		return nil, err
	}
	return s.Round(), nil
}

// resolve chooses the resolver: what the command line says, what the configuration does,
// else what resolv.conf does, if that is on this host.
func (o checkOptions) resolve(to *survey.Config) error {
	if o.resolver != "" {
		a, err := parseResolver(o.resolver)
		if err != nil {
			return usage(err)
		}
		to.Resolver, to.TrustResolver = a, false
	} else if !to.Resolver.IsValid() {
		to.Resolver, _ = config.System().SystemResolver()
	}
	to.TrustResolver = to.TrustResolver || o.trust
	switch {
	case !to.Resolver.IsValid():
		return errors.New("no resolver that validates is known, so nothing can be told to be signed (hint: run one on this host, as unbound; or name one: --resolver 192.0.2.53 --trust-resolver)")
	case !to.TrustResolver && !to.Resolver.Addr().IsLoopback():
		return fmt.Errorf("resolver %s: not on this host, so what it says of signatures may be anyone's word (hint: run one here, as unbound; or add --trust-resolver, if the way there is safe)", to.Resolver)
	}
	return nil
}

// parseResolver reads an address, with a port or without.
func parseResolver(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(text); err == nil && a.Port() != 0 {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("--resolver: %q is not an address (hint: write 127.0.0.1, or [::1]:5353)", text)
	}
	return netip.AddrPortFrom(a.Unmap(), 53), nil
}

// rootsOf reads the CAs of --roots; nil are the host's.
func (o checkOptions) rootsOf() (*x509.CertPool, error) {
	if o.roots == "" {
		return nil, nil
	}
	certs, err := readCertificates(o.roots)
	if err != nil {
		return nil, fmt.Errorf("--roots: %w", err)
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}
