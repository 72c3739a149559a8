package config

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// provider reads the name of a provider.
func (v value) provider() string {
	s, ok := v.text("write the name of a provider")
	if !ok {
		return ""
	}
	if !v.providers[s] {
		hint := suggest.Hint(s, slices.Sorted(maps.Keys(v.providers)), "there are: ")
		if hint == "" {
			hint = "write it under providers"
		}
		v.fail(fmt.Sprintf("unknown provider %q", s), hint)
		return ""
	}
	return s
}

// checkZones reports providers between which the zone can't choose.
func (r *reader) checkZones() {
	at := map[string]string{}
	for _, p := range r.zoned {
		first, twice := at[p.Zone]
		if p.Zone != "" && twice {
			r.seen["providers."+p.Name+".zone"].fail(fmt.Sprintf("the zone is %s's already", first), "one zone, one provider: take one out, or name another zone")
		}
		at[p.Zone] = p.Name
	}
}

// providerFor chooses the provider whose zone is the longest match for a host,
// or the only one that has none given; "" leaves it to what is found in DNS.
func (v value) providerFor(host string) string {
	if len(v.providers) == 0 {
		v.fail("no provider to publish "+host+" with", "write one under providers")
		return ""
	}
	best, open := Provider{}, []string(nil)
	for _, p := range v.zoned {
		switch {
		case p.Zone == "":
			open = append(open, p.Name)
		case len(p.Zone) > len(best.Zone) && (host+"." == p.Zone || strings.HasSuffix(host+".", "."+p.Zone)):
			best = p
		}
	}
	switch {
	case best.Name != "":
		return best.Name
	case len(open) == 1:
		return open[0]
	case len(open) > 1:
		slices.Sort(open)
		v.fail("which provider holds "+host+"? "+sentence(open)+" have no zone", "write provider: here, or zone: there")
	case len(v.zoned) == len(v.providers):
		// An alias may still lead to a zone of ours.
		v.warn("no provider's zone holds "+host, "add one, unless its TLSA name is an alias that leads into a zone of ours")
	}
	return ""
}

// owner is whose RRset stands at a host and port.
type owner struct{ provider, path string }

// sameProvider reports an endpoint that another lineage gives to another provider: the
// RRset is one.
func (v value) sameProvider(e Endpoint) {
	key := net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port)))
	first, shared := v.owners[key]
	if shared && first.provider != e.Provider {
		v.fail(fmt.Sprintf("provider %q here, and %q at %s: the RRset is the same", e.Provider, first.provider, first.path), "name the same one at both")
	}
	if !shared {
		v.owners[key] = owner{e.Provider, v.path}
	}
}
