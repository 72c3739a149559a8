package main

import (
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// wireSurvey is how domains are looked at, as far as the configuration says it; it may be nil.
func (p *program) wireSurvey(cfg *config.Config) survey.Config {
	out := survey.Config{Now: p.now, Zones: map[string]lookup.Zone{}}
	if cfg == nil {
		return out
	}
	out.Resolver, out.TrustResolver, out.ResolverTest = cfg.Resolver, cfg.TrustResolver, cfg.ResolverTest
	for _, z := range cfg.Zones {
		w := wireZone(z)
		out.Zones[z.Name] = lookup.Zone{Hidden: w.Hidden, Exclude: w.Exclude, Private: w.Private}
	}
	return out
}
