package azuredns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// find finds the zone that owner lies in, see [api.Frame]. A zone is called what it is.
func (p *Provider) find(ctx context.Context, zone string, owner tlsa.Owner) (api.Host[recordSets], string, *api.Trouble) {
	if zone == "" {
		zone = p.zone
	}
	if p.zone != "" && zone != p.zone {
		return nil, zone, &api.Trouble{
			Kind: dnsprovider.OutsideZone, Err: fmt.Errorf("the provider is configured for the zone %s, and not for %s", p.zone, zone),
			Hint: "a provider of its own for each zone, or one without zone",
		}
	}
	if zone == "" {
		names, t := p.names(ctx)
		if t != nil {
			return nil, "", t
		}
		for zone = string(owner); !slices.Contains(names, zone); {
			if _, zone, _ = strings.Cut(zone, "."); zone == "" {
				return nil, "", &api.Trouble{
					Kind: dnsprovider.NoZone, Err: errors.New("the resource group has no zone that the name lies in"), Hint: p.hints(string(owner)).Zone,
				}
			}
		}
	}
	return &site{p: p, zone: zone}, zone, nil
}

// names lists the zones of the resource group; once in a pass.
func (p *Provider) names(ctx context.Context) ([]string, *api.Trouble) {
	return api.ReadOnce(ctx, p, func(ctx context.Context) (names []string, t *api.Trouble) {
		t = pages(ctx, p, p.url(""), "", func(z struct {
			Name string `json:"name"`
		}) *api.Trouble {
			if name, err := dnsprovider.CanonicalZone(z.Name); err == nil {
				names = append(names, name)
			}
			return nil
		})
		return names, t
	})
}

// maxPages is more than anybody has; it is for an API that never comes to an end.
const maxPages = 10_000

// pages reads a list page by page.
func pages[T any](ctx context.Context, p *Provider, where, zone string, each func(T) *api.Trouble) *api.Trouble {
	seen := map[string]bool{}
	for where != "" {
		if seen[where] || len(seen) == maxPages {
			return &api.Trouble{Kind: dnsprovider.Temporary, Err: errors.New("the listing has no end"), Hint: "try again later; has the API changed"}
		}
		seen[where] = true
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"nextLink"`
		}
		if t := p.call(ctx, http.MethodGet, where, nil, zone, nil, &page); t != nil {
			return t
		}
		for _, v := range page.Value {
			if t := each(v); t != nil {
				return t
			}
		}
		// The token goes to whoever is named here, so it has to be the same server.
		if where = page.Next; where != "" && !strings.HasPrefix(where, p.base+"/") {
			return &api.Trouble{
				Kind: dnsprovider.Malformed, Err: errors.New("the next page of the listing is said to be at another server"), Hint: "does something stand between here and the host's API",
			}
		}
	}
	return nil
}
