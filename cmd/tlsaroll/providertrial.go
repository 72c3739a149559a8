package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/trial"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// scratchHost is no mail host's name.
const scratchHost = "tlsaroll-test"

// The pause between looks at the servers, and the time for tidying up.
const (
	trialLook = time.Second
	trialTidy = 30 * time.Second
)

// providerTest tries one provider of the configuration. It needs no daemon, and none is in
// its way: nobody else writes at that name.
func (p *program) providerTest(ctx context.Context, name string, o providerOptions) error {
	cfg, wired, err := p.load()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(wired.Providers, func(x agent.Provider) bool { return x.Name == name })
	if i < 0 {
		return usage(fmt.Errorf("no provider %q (hint: the configuration has: %s)", name, list(providerNames(wired.Providers))))
	}
	provider := wired.Providers[i]
	if byPerson(cfg.Providers, name) {
		return usage(fmt.Errorf("provider %q is a person, who would be told of the test (hint: tlsaroll plan shows what is to be changed; to try the notice, let tell: be a command and look at what it gets)", name))
	}
	zone, owner, err := scratchAt(cfg, provider, o)
	if err != nil {
		return usage(err)
	}
	if o.ttl < time.Second || o.ttl%time.Second != 0 {
		return usage(fmt.Errorf("--ttl %s: a TTL is a number of whole seconds (hint: --ttl 1h)", o.ttl))
	}
	if o.timeout < time.Second {
		return usage(fmt.Errorf("--timeout %s: too short for any host (hint: --timeout 10m)", o.timeout))
	}
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: p.now})
	if err != nil {
		return err
	}
	zones := lookupZones(cfg)
	shown := &trialJSON{Provider: name, Owner: string(owner), AskedTTL: int(o.ttl / time.Second), Margin: int(provider.Margin / time.Second)}
	t := trial.Trial{
		Provider: provider.Provider, Zone: zone, Owner: owner, TTL: o.ttl, Every: trialLook, Tidy: trialTidy, Now: p.now,
		Look: func(ctx context.Context) lookup.View { return client.NewPass(zones).Owner(ctx, owner) },
		Say: func(s trial.Step) {
			shown.add(s)
			if !o.json {
				p.ui.trialStep(s)
			}
		},
	}
	bounded, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	result, err := t.Run(bounded)
	if err == nil {
		shown.end(result)
		if o.json {
			err = p.ui.printJSON(shown)
		} else {
			p.ui.trialEnd(result, o.ttl, provider.Margin)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("provider test %s: stopped: %w", name, err)
	case errors.Is(err, context.DeadlineExceeded) && bounded.Err() != nil:
		return fmt.Errorf("provider test %s: given up after %s: %w", name, o.timeout, err)
	case err != nil:
		return fmt.Errorf("provider test %s: %w", name, err)
	}
	return signs(result)
}

// signs is the last question: whether anyone would believe the records (RFC 7672, section 2.2).
func signs(r trial.Result) error {
	zone := strings.TrimSuffix(r.Zone, ".")
	switch r.Security {
	case lookup.Secure:
		return nil
	case lookup.Insecure:
		return &exitCode{exitPerson, fmt.Errorf("zone %s: it is not signed, so no sender believes its TLSA records (hint: have the DNS host sign it with DNSSEC, and put its DS record into the parent)", zone)}
	case lookup.Bogus:
		return &exitCode{exitPerson, fmt.Errorf("zone %s: it is bogus, so mail to it is deferred: %s (hint: mend its signatures, or the DS record in the parent)", zone, r.SecurityText)}
	case lookup.Indeterminate:
	}
	return &exitCode{exitPerson, fmt.Errorf("zone %s: whether it is signed is not known: %s (hint: set resolver: to a validating resolver on this host)", zone, r.SecurityText)}
}

// byPerson reports whether the changes of a provider are made by hand.
func byPerson(providers []config.Provider, name string) bool {
	return slices.ContainsFunc(providers, func(c config.Provider) bool {
		return c.Name == name && slices.ContainsFunc(providerKinds(), func(k providerKind) bool { return k.Type == c.Type && k.Atomic == dnsprovider.ByPerson })
	})
}

func providerNames(providers []agent.Provider) (names []string) {
	for _, p := range providers {
		names = append(names, p.Name)
	}
	return names
}

// lookupZones is what the configuration says of zones, for who looks at them.
func lookupZones(cfg *config.Config) map[string]lookup.Zone {
	zones := map[string]lookup.Zone{}
	for _, z := range cfg.Zones {
		zone := wireZone(z)
		zones[z.Name] = lookup.Zone{Hidden: zone.Hidden, Exclude: zone.Exclude, Private: zone.Private}
	}
	return zones
}

// scratchAt finds where to test: at the name given, else in the zone given, in the
// provider's, or in that of an endpoint that it has to do with.
func scratchAt(cfg *config.Config, p agent.Provider, o providerOptions) (zone string, owner tlsa.Owner, err error) {
	zone = p.Zone
	if o.zone != "" {
		if zone, err = dnsprovider.CanonicalZone(o.zone); err != nil {
			return "", "", fmt.Errorf("--zone: %w", err)
		}
	}
	if p.Zone != "" && zone != p.Zone {
		return "", "", fmt.Errorf("--zone %s: provider %s has the zone %s (hint: leave --zone out)", o.zone, p.Name, strings.TrimSuffix(p.Zone, "."))
	}
	if o.owner != "" {
		owner, err := tlsa.ParseOwner(o.owner)
		if err != nil {
			return "", "", fmt.Errorf("--owner: %w", err)
		}
		if !ofService(owner) {
			return "", "", fmt.Errorf("--owner %s: not the owner name of TLSA records (hint: it begins as in _25._tcp.%[1]s)", owner)
		}
		if isEndpoint(cfg, owner) {
			return "", "", fmt.Errorf("--owner %s: that is an endpoint of a lineage, and its records are not for tests (hint: name another)", owner)
		}
		if zone != "" && !dnsprovider.InZone(string(owner), zone) {
			return "", "", fmt.Errorf("--owner %s: not in the zone %s", owner, strings.TrimSuffix(zone, "."))
		}
		return zone, owner, nil
	}
	if zone == "" {
		return "", "", errors.New("which zone? provider " + p.Name + " names none (hint: --zone example.org)")
	}
	owner, err = tlsa.OwnerOf(25, scratchHost+"."+zone)
	return zone, owner, err
}

// ofService reports whether a name is one where TLSA records are looked for (RFC 6698,
// section 3).
func ofService(owner tlsa.Owner) bool {
	port, rest, _ := strings.Cut(string(owner), ".")
	n, err := strconv.ParseUint(strings.TrimPrefix(port, "_"), 10, 16)
	return err == nil && n > 0 && strings.HasPrefix(port, "_") && strings.HasPrefix(rest, "_tcp.")
}

func isEndpoint(cfg *config.Config, owner tlsa.Owner) bool {
	for _, l := range cfg.Lineages {
		for _, e := range l.Endpoints {
			if at, err := tlsa.OwnerOf(e.Port, e.Host); err == nil && at == owner {
				return true
			}
		}
	}
	return false
}
