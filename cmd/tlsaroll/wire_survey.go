package main

import (
	"github.com/tlsaroll/tlsaroll/certwatch/issuers"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// wireSurvey is how domains are looked at, as far as the configuration says it; it may be nil.
func (p *program) wireSurvey(cfg *config.Config) (survey.Config, error) {
	out := survey.Config{Now: p.now, Zones: map[string]lookup.Zone{}}
	var err error
	if out.IssuerSets, err = issuerSets(); err != nil || cfg == nil {
		return out, err
	}
	out.Resolver, out.TrustResolver, out.ResolverTest = cfg.Resolver, cfg.TrustResolver, cfg.ResolverTest
	for _, z := range cfg.Zones {
		w := wireZone(z)
		out.Zones[z.Name] = lookup.Zone{Hidden: w.Hidden, Exclude: w.Exclude, Private: w.Private}
	}
	return out, nil
}

// issuerSets are what is known of the CAs of all sets.
func issuerSets() (sets []audit.IssuerSet, err error) {
	gone, err := issuers.Retired()
	if err != nil {
		return nil, err
	}
	var retired []tlsa.Association
	for _, digest := range gone {
		retired = append(retired, tlsa.Association{Params: tlsa.TA, Data: digest})
	}
	for _, name := range issuers.Sets() {
		set, err := issuers.Named(name)
		if err != nil {
			return nil, err
		}
		current, _, err := issuersAhead([]string{name})
		if err != nil {
			return nil, err
		}
		sets = append(sets, audit.IssuerSet{Name: set.Name, CAA: set.CAA, Current: current, Retired: retired})
	}
	return sets, nil
}
