package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// senderPlace is where a check of a sender takes place.
type senderPlace struct {
	provider  agent.Provider
	zone      string // absolute
	base      string // below which the scratch domains are
	addresses []netip.AddrPort
	cases     []mailsink.Case
	sendmail  string // "": nobody hands mails in
}

func placeForSender(cfg *config.Config, providers []agent.Provider, o senderOptions) (place senderPlace, err error) {
	for flag, value := range map[string]time.Duration{"--ttl": o.ttl, "--timeout": o.timeout} {
		if value < time.Second || value%time.Second != 0 {
			return place, fmt.Errorf("%s %s: wants whole seconds, one at least (hint: %s 10m)", flag, value, flag)
		}
	}
	if place.addresses, err = listenAddresses(o.listen); err != nil {
		return place, err
	}
	if place.provider, place.zone, err = providerForSender(providers, o); err != nil {
		return place, err
	}
	if byPerson(cfg.Providers, place.provider.Name) {
		return place, fmt.Errorf("provider %q is a person, who would have to be quick (hint: have a zone that a program can change, for this alone)", place.provider.Name)
	}
	if place.base, err = config.Host(o.name + "." + place.zone); err != nil {
		return place, fmt.Errorf("--name: %w", err)
	}
	bogus := ""
	if o.bogus != "" {
		if bogus, err = config.Host(o.bogus); err != nil {
			return place, fmt.Errorf("--bogus: %w", err)
		}
	}
	if o.submit {
		if place.sendmail, err = subprocess.Find(o.sendmail); err != nil {
			return place, fmt.Errorf("--submit: %w (hint: --sendmail names the program)", err)
		}
	}
	place.cases = senderCases(place.base, bogus, place.addresses)
	return place, nil
}

// senderCases are those below a name, and that of a domain that is bogus, if there is one.
func senderCases(base, bogus string, addresses []netip.AddrPort) (cases []mailsink.Case) {
	for _, k := range mailsink.Kinds() {
		cases = append(cases, mailsink.Case{Kind: k, Domain: string(k) + "." + base})
	}
	if bogus != "" {
		cases = append(cases, mailsink.Case{Kind: mailsink.Bogus, Domain: bogus})
	}
	return mailsink.Assign(cases, addresses)
}

// listenAddresses reads those of --listen. Port 25 is meant where none is given.
func listenAddresses(texts []string) (addresses []netip.AddrPort, err error) {
	const hint = "an address of this host that the mail server does not listen at and takes for nobody's own, as in --listen 192.0.2.7"
	if len(texts) == 0 {
		return nil, errors.New("--listen: at which address is the mail to come in? (hint: " + hint + ")")
	}
	for _, text := range texts {
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("--listen %q: no address (hint: %s)", text, hint)
			}
			at = netip.AddrPortFrom(a, 25)
		}
		at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		switch {
		case at.Addr().IsUnspecified() || at.Addr().IsMulticast() || at.Addr().Zone() != "" || at.Port() == 0:
			return nil, fmt.Errorf("--listen %s: not the address of one host (hint: %s)", text, hint)
		case slices.ContainsFunc(addresses, func(a netip.AddrPort) bool { return a.Addr() == at.Addr() }):
			return nil, fmt.Errorf("--listen %s: named twice", text)
		}
		addresses = append(addresses, at)
	}
	return addresses, nil
}

// providerForSender chooses the provider that is named, else the one whose zone is that of
// --zone, else the only one that has none given; and the zone.
func providerForSender(providers []agent.Provider, o senderOptions) (p agent.Provider, zone string, err error) {
	if o.zone != "" {
		if zone, err = dnsprovider.CanonicalZone(o.zone); err != nil {
			return p, "", fmt.Errorf("--zone: %w", err)
		}
	}
	fits := slices.DeleteFunc(slices.Clone(providers), func(p agent.Provider) bool {
		return o.provider != "" && p.Name != o.provider || zone != "" && p.Zone != "" && p.Zone != zone
	})
	if zoned := slices.DeleteFunc(slices.Clone(fits), func(p agent.Provider) bool { return p.Zone == "" }); len(zoned) > 0 && zone != "" {
		fits = zoned
	}
	switch {
	case len(fits) == 0 && o.provider != "":
		return p, "", fmt.Errorf("--provider %s: no such provider for %s (hint: the configuration has: %s)", o.provider, zoneWord(zone), list(providerNames(providers)))
	case len(fits) == 0:
		return p, "", fmt.Errorf("no provider for %s (hint: the configuration has: %s)", zoneWord(zone), list(providerNames(providers)))
	case len(fits) > 1:
		return p, "", fmt.Errorf("several providers can change %s: %s (hint: choose one with --provider NAME, or --zone ZONE)", zoneWord(zone), list(providerNames(fits)))
	case zone == "" && fits[0].Zone == "":
		return p, "", fmt.Errorf("which zone? provider %s names none (hint: --zone example.org)", fits[0].Name)
	case zone == "":
		zone = fits[0].Zone
	}
	return fits[0], zone, nil
}

func zoneWord(zone string) string {
	if zone == "" {
		return "the zone"
	}
	return "zone " + strings.TrimSuffix(zone, ".")
}
