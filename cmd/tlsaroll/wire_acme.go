package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch/acme"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var _ agent.Issuer = (*acme.Issuer)(nil)

// wireACME makes what orders a lineage's certificates. Nobody is asked yet. The
// providers are those of the whole configuration: an alias of the challenge's name may
// lead into a zone of another one than the lineage's own.
func (p *program) wireACME(cfg *config.Config, l config.Lineage, providers []agent.Provider) (*acme.Issuer, error) {
	out := acme.Config{Dir: filepath.Join(cfg.State, "acme"), Lineage: l.Name, Now: p.now, Log: p.logger()}
	var errs []error
	for _, c := range l.ACME {
		ca, err := wireCA(c)
		if err != nil {
			errs = append(errs, fmt.Errorf("lineage %s: acme: %w", l.Name, err))
		}
		out.CAs = append(out.CAs, ca)
	}
	// Without dns-01 too, for records of orders that ended on the way before it was given up.
	dns, err := p.wireChallenges(cfg, l, providers)
	switch {
	case err == nil:
		out.DNS = dns
	case slices.ContainsFunc(l.ACME, func(c config.ACME) bool { return c.Challenge == acme.DNS01 }):
		errs = append(errs, fmt.Errorf("lineage %s: acme: dns-01: %w", l.Name, err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	issuer, err := acme.New(out)
	if err != nil {
		return nil, fmt.Errorf("lineage %s: %w", l.Name, err)
	}
	return issuer, nil
}

func wireCA(c config.ACME) (acme.CA, error) {
	ca := acme.CA{
		Directory: c.Directory, Email: c.Email, Challenge: c.Challenge, Address: c.Address,
		Profile: c.Profile, PreferredChain: c.PreferredChain,
	}
	if c.EABKeyID != "" {
		ca.External = &acme.ExternalAccount{KeyID: c.EABKeyID, HMAC: acme.NewSecret(string(c.EABKey.Reveal()))}
	}
	if c.CAFile == "" {
		return ca, nil
	}
	var err error
	if ca.Roots, err = roots(c.CAFile); err != nil {
		return ca, fmt.Errorf("ca-file: %w", err)
	}
	return ca, nil
}

// roots reads a file of CA certificates.
func roots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in PEM", file)
	}
	return pool, nil
}

// challenges writes the TXT records of dns-01 through the providers, and looks at them as
// CAs do.
type challenges struct {
	providers []agent.Provider
	own       []string // names of the lineage's own
	client    *lookup.Client
	zones     map[string]lookup.Zone
}

// txtTTL is short: a value is of use for a few minutes, and a wrong one that a CA has
// cached is in the way as long.
const txtTTL = time.Minute

func (p *program) wireChallenges(cfg *config.Config, l config.Lineage, providers []agent.Provider) (acme.DNS, error) {
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: p.now})
	if err != nil {
		return nil, err
	}
	c := &challenges{providers: providers, client: client, zones: lookupZones(cfg)}
	for _, e := range l.Endpoints {
		c.own = append(c.own, e.Provider)
	}
	if !slices.ContainsFunc(providers, func(p agent.Provider) bool { return writesTXT(p.Provider) != nil }) {
		return nil, errors.New("no provider that can write TXT records (hint: use http-01 or tls-alpn-01)")
	}
	return c, nil
}

// writesTXT is the provider as one of TXT records, nil if it is none.
func writesTXT(p dnsprovider.Provider) dnsprovider.TXTProvider {
	if h, ok := p.(heard); ok {
		p = h.Provider
	}
	txt, _ := p.(dnsprovider.TXTProvider)
	return txt
}

func (c *challenges) pass() *lookup.Pass { return c.client.NewPass(c.zones) }

// Lead follows the aliases of a challenge's name.
func (c *challenges) Lead(ctx context.Context, name string) (string, error) {
	return c.pass().Lead(ctx, name)
}

// AddTXT adds a value through the provider that holds the zone.
func (c *challenges) AddTXT(ctx context.Context, name, value string) error {
	p, err := c.providerFor(ctx, name)
	if err != nil {
		return err
	}
	return p.AddTXT(ctx, "", tlsa.Owner(name), value, txtTTL)
}

// RemoveTXT removes it.
func (c *challenges) RemoveTXT(ctx context.Context, name, value string) error {
	p, err := c.providerFor(ctx, name)
	if err != nil {
		return err
	}
	return p.RemoveTXT(ctx, "", tlsa.Owner(name), value)
}

// providerFor finds who holds the zone that the name lies in: one of the lineage's own
// where it can, else one that names the zone, else one that finds its zones itself.
func (c *challenges) providerFor(ctx context.Context, name string) (dnsprovider.TXTProvider, error) {
	zone, err := c.pass().ZoneOf(ctx, name)
	if err != nil {
		return nil, err
	}
	var best agent.Provider
	rank := 0
	for _, p := range c.providers {
		r := 0
		switch own := slices.Contains(c.own, p.Name); {
		case p.Zone != "" && p.Zone != zone:
		case own:
			r = 3
		case p.Zone == zone:
			r = 2
		default:
			r = 1
		}
		if r > rank {
			best, rank = p, r
		}
	}
	if rank == 0 {
		return nil, fmt.Errorf("no provider holds the zone %s, in which %s lies (hint: write one under providers, or let a CNAME there lead into a zone of ours)", zone, name)
	}
	txt := writesTXT(best.Provider)
	if txt == nil {
		return nil, fmt.Errorf("provider %s cannot write the TXT record at %s (hint: use http-01 or tls-alpn-01)", best.Name, name)
	}
	return txt, nil
}

// Missing asks every authoritative server. One that this host has no route to is
// judged by the others.
func (c *challenges) Missing(ctx context.Context, name, value string) ([]string, error) {
	views, err := c.pass().TXT(ctx, name)
	if err != nil {
		return nil, err
	}
	var missing, untested []string
	answered := false
	for _, v := range views {
		switch {
		case v.FamilyUntested:
			untested = append(untested, v.String()+": "+v.Err)
		case v.Err != "":
			missing = append(missing, v.String()+": "+v.Err)
		case !slices.Contains(v.Values, value):
			missing = append(missing, fmt.Sprintf("%s: %s", v, otherValues(len(v.Values))))
			fallthrough
		default:
			answered = true
		}
	}
	if !answered {
		missing = append(missing, untested...)
	}
	return missing, nil
}

func otherValues(n int) string {
	if n == 0 {
		return "no TXT record"
	}
	return "other values alone"
}
