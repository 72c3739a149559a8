package lookup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxAliasSteps is how long a way of aliases may be; resolvers give up sooner.
const maxAliasSteps = 16

// Lead follows the CNAMEs at name, as the validating resolver sees them, to the name
// where they end: there TXT values for it have to stand (RFC 8555, section 8.4). A
// name without an alias, or that does not exist, leads to itself.
func (p *Pass) Lead(ctx context.Context, name string) (string, error) {
	name = dns.CanonicalName(name)
	way := []string{name}
	for range maxAliasSteps {
		a := p.Ask(ctx, name, dns.TypeCNAME)
		if a.Err != "" {
			return "", fmt.Errorf("alias of %s: %s", name, a.Err)
		}
		target := ""
		for _, rr := range a.Records {
			if c, ok := rr.(*dns.CNAME); ok && c.Hdr.Name == name {
				target = dns.CanonicalName(c.Target)
			}
		}
		if target == "" {
			return name, nil
		}
		if slices.Contains(way, target) {
			return "", fmt.Errorf("alias of %s: the CNAMEs go round in a circle: %s", way[0], strings.Join(append(way, target), " -> "))
		}
		name, way = target, append(way, target)
	}
	return "", fmt.Errorf("alias of %s: more than %d CNAMEs in a row", way[0], maxAliasSteps)
}

// A TXTView is what one authoritative address gives for the TXT records at a name.
type TXTView struct {
	Server
	Values []string // the strings of each record put together
	Err    string   // why it is not known; Values is then empty
	// FamilyUntested says that this host has no route for the address family (Err is
	// set): other addresses have to speak for it.
	FamilyUntested bool
}

// TXT asks every authoritative address of the zone that holds name. Those that the
// configuration excludes are left out. A denial is a view without values.
func (p *Pass) TXT(ctx context.Context, name string) ([]TXTView, error) {
	name = dns.CanonicalName(name)
	zone, err := p.ZoneOf(ctx, name)
	if err != nil {
		return nil, err
	}
	served, err := p.Served(ctx, zone, name, dns.TypeTXT)
	var views []TXTView
	for _, s := range served {
		v := TXTView{Server: s.Server, Err: s.Err, FamilyUntested: s.FamilyUntested}
		for _, rr := range s.Records {
			if t, ok := rr.(*dns.TXT); ok {
				v.Values = append(v.Values, strings.Join(t.Txt, ""))
			}
		}
		views = append(views, v)
	}
	return views, err
}
