package googleclouddns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// managedZone is a zone of the project
// (https://cloud.google.com/dns/docs/reference/rest/v1/managedZones).
type managedZone struct {
	Name       string `json:"name"`    // in the project
	DNSName    string `json:"dnsName"` // with the trailing dot
	Visibility string `json:"visibility"`
	DNSSEC     struct {
		State string `json:"state"` // on, off, transfer
	} `json:"dnssecConfig"`
}

// managedZones remembers what was found.
type managedZones struct {
	mu    sync.Mutex
	names map[string]string // of the managed zone, by the zone's canonical name
	all   map[string]string // the zone, by the name of the managed zone
}

func (z *managedZones) learn(zone, managed string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.names == nil {
		z.names, z.all = map[string]string{}, map[string]string{}
	}
	z.names[zone], z.all[managed] = managed, zone
}

func (z *managedZones) forget(zone string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.all, z.names[zone])
	delete(z.names, zone)
}

func (z *managedZones) known(zone, managed string) (string, string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if zone == "" {
		return z.all[managed], managed
	}
	return zone, z.names[zone]
}

// find finds the managed zone that owner lies in, see [api.Frame].
func (p *Provider) find(ctx context.Context, zone string, owner tlsa.Owner) (api.Host[rrsets], string, *api.Trouble) {
	if zone == "" {
		zone = p.zone
	}
	if p.zone != "" && zone != p.zone {
		return nil, zone, &api.Trouble{
			Kind: dnsprovider.OutsideZone, Err: fmt.Errorf("the provider is configured for the zone %s, and not for %s", p.zone, zone),
			Hint: "a provider of its own for each zone, or one without zone and managed-zone",
		}
	}
	managed := p.managed
	var t *api.Trouble
	switch {
	case managed != "":
		var name string
		if name, t = p.dnsNameOf(ctx, managed, zone); t == nil && zone != "" && zone != name {
			t = another(name)
		}
		if zone == "" {
			zone = name
		}
	case zone != "":
		managed, t = p.managedOf(ctx, zone)
	default:
		zone, managed, t = p.zoneAbove(ctx, owner)
	}
	if t != nil {
		return nil, zone, t
	}
	return &site{p: p, zone: zone, managed: managed}, zone, nil
}

// dnsNameOf asks which zone a managed zone is, and whether it is public. The one it should be is
// for errors.
func (p *Provider) dnsNameOf(ctx context.Context, managed, should string) (string, *api.Trouble) {
	if zone, _ := p.zones.known("", managed); zone != "" {
		return zone, nil
	}
	about := should
	if about == "" {
		about = "of managed-zone " + managed
	}
	var z managedZone
	if t := p.call(ctx, http.MethodGet, "/"+managed, about, nil, &z); t != nil {
		return "", t
	}
	zone, err := dnsprovider.CanonicalZone(z.DNSName)
	if err != nil || zone == "" {
		return "", &api.Trouble{Kind: dnsprovider.Malformed, Err: errors.New("the managed zone has no name in the DNS"), Hint: "is managed-zone that of a zone"}
	}
	if z.Visibility == "private" {
		return zone, p.private(zone)
	}
	p.meet(zone, z)
	return zone, nil
}

// another is the trouble of a managed zone that is not the one wanted.
func another(stands string) *api.Trouble {
	return &api.Trouble{
		Kind: dnsprovider.NoZone, Err: fmt.Errorf("managed-zone is another zone, where %.100q stands", stands),
		Hint: "gcloud dns managed-zones list",
	}
}

// meet remembers a zone that is met for the first time.
func (p *Provider) meet(zone string, z managedZone) {
	p.zones.learn(zone, z.Name)
	if z.DNSSEC.State != "on" {
		p.log.Warn("the zone is not signed: DNSSEC is off, and senders look for no TLSA records there", "zone", zone, "managed-zone", z.Name)
	}
}

func (p *Provider) private(zone string) *api.Trouble {
	return &api.Trouble{
		Kind: dnsprovider.NoZone, Err: errors.New("the managed zone of " + zone + " is private: nobody outside sees it"),
		Hint: "set managed-zone to that of the public one",
	}
}

// managedOf looks for the public managed zone of a zone.
func (p *Provider) managedOf(ctx context.Context, zone string) (string, *api.Trouble) {
	if _, managed := p.zones.known(zone, ""); managed != "" {
		return managed, nil
	}
	all, t := p.public(ctx)
	if t != nil {
		return "", t
	}
	return p.choose(zone, all)
}

// choose takes the one zone of this name.
func (p *Provider) choose(zone string, all map[string][]managedZone) (string, *api.Trouble) {
	switch same := all[zone]; len(same) {
	case 0:
		return "", &api.Trouble{Kind: dnsprovider.NoZone, Err: errors.New("the project has no public zone " + zone), Hint: p.hints(zone).Zone}
	case 1:
		p.meet(zone, same[0])
		return same[0].Name, nil
	default:
		return "", &api.Trouble{
			Kind: dnsprovider.NoZone, Err: fmt.Errorf("the project has %d public zones %s", len(same), zone),
			Hint: "set managed-zone to the one that its registrar delegates to",
		}
	}
}

// zoneAbove finds the longest zone that a name lies in.
func (p *Provider) zoneAbove(ctx context.Context, owner tlsa.Owner) (zone, managed string, t *api.Trouble) {
	all, t := p.public(ctx)
	if t != nil {
		return "", "", t
	}
	for zone = string(owner); zone != ""; _, zone, _ = strings.Cut(zone, ".") {
		if _, managed := p.zones.known(zone, ""); managed != "" && len(all[zone]) == 1 {
			return zone, managed, nil
		}
		if len(all[zone]) > 0 {
			managed, t = p.choose(zone, all)
			return zone, managed, t
		}
	}
	return "", "", &api.Trouble{
		Kind: dnsprovider.NoZone, Err: errors.New("the project has no public zone that the name lies in"), Hint: p.hints(string(owner)).Zone,
	}
}

// public lists the public zones of the project, by name; once in a pass.
func (p *Provider) public(ctx context.Context) (map[string][]managedZone, *api.Trouble) {
	return api.ReadOnce(ctx, p, func(ctx context.Context) (map[string][]managedZone, *api.Trouble) {
		all := map[string][]managedZone{}
		for token, pages := "", 0; ; {
			var page struct {
				Zones []managedZone `json:"managedZones"`
				Next  string        `json:"nextPageToken"`
			}
			if t := p.call(ctx, http.MethodGet, paged("", token), "", nil, &page); t != nil {
				return nil, t
			}
			for _, z := range page.Zones {
				name, err := dnsprovider.CanonicalZone(z.DNSName)
				if err == nil && z.Visibility != "private" && managedForm.MatchString(z.Name) {
					all[name] = append(all[name], z)
				}
			}
			if page.Next == "" {
				return all, nil
			}
			if pages++; page.Next == token || pages == maxPages {
				return nil, endless()
			}
			token = page.Next
		}
	})
}

// maxPages is more than anybody has; it is for an API that never comes to an end.
const maxPages = 10_000

func endless() *api.Trouble {
	return &api.Trouble{Kind: dnsprovider.Temporary, Err: errors.New("the listing has no end"), Hint: "try again later; has the API changed"}
}

// paged is a path with the token of a page, none for the first.
func paged(path, token string) string {
	if token == "" {
		return path
	}
	return path + "?" + url.Values{"pageToken": {token}}.Encode()
}
