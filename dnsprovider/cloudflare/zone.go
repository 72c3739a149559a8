package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/idna"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// zone is what the API says of a zone
// (https://developers.cloudflare.com/api/resources/zones/methods/list/).
type zone struct {
	ID     string `json:"id"`
	Name   string `json:"name"`   // U-labels where there are such
	Status string `json:"status"` // initializing, pending, active, moved
	Type   string `json:"type"`   // full, partial, secondary, internal
	Paused bool   `json:"paused"`
}

// zoneIDs remembers what zones are called, and what was said about them.
type zoneIDs struct {
	mu    sync.Mutex
	byID  map[string]string // canonical name by id
	ids   map[string]string // id by canonical name
	above map[string]string // the zone that a name lies in
	said  map[string]bool
}

func (z *zoneIDs) id(name string) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.ids[name]
}

func (z *zoneIDs) name(id string) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.byID[id]
}

func (z *zoneIDs) learn(name, id string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.ids == nil {
		z.byID, z.ids, z.above = map[string]string{}, map[string]string{}, map[string]string{}
	}
	z.byID[id], z.ids[name] = name, id
}

// forget is for a zone that is gone: if it comes back it has another id.
func (z *zoneIDs) forget(name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.byID, z.ids[name])
	delete(z.ids, name)
	maps.DeleteFunc(z.above, func(_, zone string) bool { return zone == name })
}

// zoneOf is the zone that was found for a name, "" if none was.
func (z *zoneIDs) zoneOf(name string) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.above[name]
}

// place says which zone names lie in. That one of them may become a zone later does not
// matter: the zone above delegates it then.
func (z *zoneIDs) place(names []string, zone string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, name := range names {
		z.above[name] = zone
	}
}

// find finds the zone that owner lies in, see [api.Frame].
func (p *Provider) find(ctx context.Context, name string, owner tlsa.Owner) (api.Host[records], string, *api.Trouble) {
	if name == "" {
		name = p.zone
	}
	if p.zone != "" && name != p.zone {
		return nil, name, &api.Trouble{
			Kind: dnsprovider.OutsideZone, Err: fmt.Errorf("the provider is configured for the zone %s, and not for %s", p.zone, name),
			Hint: "a provider of its own for each zone, or one without zone and zone-id",
		}
	}
	id, t := p.zoneID, (*api.Trouble)(nil)
	switch {
	case id != "" && name == "":
		name, t = p.nameOf(ctx, id)
	case id != "":
	case name != "":
		if id, t = p.idOf(ctx, name); t == nil && id == "" {
			t = p.noZone("the token sees no zone "+strings.TrimSuffix(name, "."), name)
		}
	default:
		name, id, t = p.zoneAbove(ctx, owner)
	}
	if t != nil {
		return nil, name, t
	}
	return &site{p: p, zone: name, id: id}, name, nil
}

func (p *Provider) noZone(what, name string) *api.Trouble {
	hints := p.hints(name)
	return &api.Trouble{Kind: dnsprovider.NoZone, Err: errors.New(what), Hint: hints.Zone + "; and has the token Zone: Read for it"}
}

// zoneAbove finds the longest zone that the token sees and the name lies in. What begins
// with an underscore is no zone.
func (p *Provider) zoneAbove(ctx context.Context, owner tlsa.Owner) (name, id string, t *api.Trouble) {
	var passed []string
	for name = string(owner); strings.Count(name, ".") > 1; _, name, _ = strings.Cut(name, ".") {
		if strings.HasPrefix(name, "_") {
			continue
		}
		if zone := p.zones.zoneOf(name); zone != "" {
			name = zone
		}
		id, t := p.idOf(ctx, name)
		if t == nil && id != "" {
			p.zones.place(passed, name)
		}
		if t != nil || id != "" {
			return name, id, t
		}
		passed = append(passed, name)
	}
	return "", "", p.noZone("the token sees no zone that the name lies in", string(owner))
}

// nameOf asks which zone has the id.
func (p *Provider) nameOf(ctx context.Context, id string) (string, *api.Trouble) {
	if name := p.zones.name(id); name != "" {
		return name, nil
	}
	var z zone
	if _, t := p.call(ctx, "of this id", http.MethodGet, "/zones/"+id, nil, &z); t != nil {
		return "", t
	}
	name, err := canonical(z.Name)
	if err != nil {
		return "", &api.Trouble{Kind: dnsprovider.Malformed, Err: err, Hint: "is zone-id that of a zone"}
	}
	if t := p.usable(name, z); t != nil {
		return name, t
	}
	p.zones.learn(name, id)
	return name, nil
}

// lookup is the key of what a pass has found out about a zone's name.
type lookup struct {
	p    *Provider
	name string
}

// idOf looks for the id of a zone, "" if the token sees none of this name.
func (p *Provider) idOf(ctx context.Context, name string) (string, *api.Trouble) {
	if id := p.zones.id(name); id != "" {
		return id, nil
	}
	return api.ReadOnce(ctx, lookup{p, name}, func(ctx context.Context) (string, *api.Trouble) {
		for _, spelling := range spellings(name) {
			var found []zone
			query := url.Values{"name": {spelling}, "per_page": {"50"}}
			if _, t := p.call(ctx, name, http.MethodGet, "/zones?"+query.Encode(), nil, &found); t != nil {
				return "", t
			}
			z, t := p.choose(name, found)
			if t != nil || z == nil {
				if t != nil {
					return "", t
				}
				continue
			}
			if t := p.usable(name, *z); t != nil {
				return "", t
			}
			p.zones.learn(name, z.ID)
			return z.ID, nil
		}
		return "", nil
	})
}

// choose takes the zone of this name that is in use: others of the name may be left over,
// at this account or at another that the token reaches.
func (p *Provider) choose(name string, found []zone) (*zone, *api.Trouble) {
	var same, active []zone
	for _, z := range found {
		if got, err := canonical(z.Name); err == nil && got == name && zoneIDForm.MatchString(z.ID) {
			same = append(same, z)
			if z.Status == "active" {
				active = append(active, z)
			}
		}
	}
	if len(active) > 0 {
		same = active
	}
	switch len(same) {
	case 0:
		return nil, nil
	case 1:
		return &same[0], nil
	}
	return nil, &api.Trouble{
		Kind: dnsprovider.NoZone, Err: fmt.Errorf("the token sees %d zones of this name", len(same)),
		Hint: "set zone-id to the one that is in use",
	}
}

// usable says why records in this zone would be seen by nobody.
func (p *Provider) usable(name string, z zone) *api.Trouble {
	switch z.Type {
	case "secondary":
		return &api.Trouble{
			Kind: dnsprovider.Refused, Err: errors.New("the zone is a secondary at Cloudflare, which takes its records from another server"),
			Hint: "change them there, as with rfc2136",
		}
	case "partial":
		return &api.Trouble{
			Kind: dnsprovider.NoZone, Err: errors.New("the zone has a partial setup at Cloudflare: another DNS host serves it"),
			Hint: "use a provider for the host that its NS records name",
		}
	}
	p.zones.mu.Lock()
	defer p.zones.mu.Unlock()
	if z.Status != "active" && !p.zones.said[name] {
		if p.zones.said == nil {
			p.zones.said = map[string]bool{}
		}
		p.zones.said[name] = true
		p.log.Warn("the zone is not active: do the name servers at its registrar name Cloudflare", "zone", name, "status", z.Status)
	}
	return nil
}

// spellings are how to ask for a zone: the API has U-labels in names of zones, and
// A-labels in names of records.
func spellings(name string) []string {
	ascii := strings.TrimSuffix(name, ".")
	unicode, err := idna.ToUnicode(ascii)
	if err != nil || unicode == ascii {
		return []string{ascii}
	}
	return []string{unicode, ascii}
}

// canonical brings a zone's name from the API into canonical form.
func canonical(name string) (string, error) {
	ascii, err := idna.ToASCII(name)
	if err != nil {
		return "", fmt.Errorf("zone %q: %w", name, err)
	}
	return dnsprovider.CanonicalZone(ascii)
}
