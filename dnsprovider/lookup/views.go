package lookup

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// views are the sightings of a walk, with the TTLs of the aliases on the way.
func (w *walk) views(reach map[string]time.Duration) []ServerView {
	var out []ServerView
	for _, s := range w.order {
		for _, x := range s.sights {
			out = append(out, x.view(reach[s.name]))
		}
		for _, z := range s.zones {
			for _, n := range z.nameless {
				if n.unknown {
					continue // no server of its own, which would stay when the address is found again
				}
				x := sighting{server: n.server, zone: z.name, name: s.name, err: n.problem}
				out = append(out, x.view(0))
			}
		}
	}
	return out
}

// view is what the sighting says, aliases of total TTL extra before it.
func (s sighting) view(extra time.Duration) ServerView {
	v := ServerView{
		Server: Server{s.server.name, s.server.addr}, Zone: s.zone, Source: s.server.source, NSTTL: s.server.ttl,
		Asked: tlsa.Owner(s.name), RRset: s.rrset,
	}
	if s.denied || len(s.rrset.Associations) > 0 {
		v.RRset.TTL += extra
	}
	if s.err != nil {
		v.Err, v.Fault = s.err.Error(), faultOf(s.err)
		v.FamilyUntested = v.Fault == FaultNoRoute
		return v
	}
	v.Denied, v.Wildcard = s.denied, s.expanded
	if s.denied {
		v.NegativeTTL = s.rrset.TTL
	}
	v.Leads, v.Alias = s.leads, s.leads != "" && !s.cut
	v.Proof, v.SignedUntil, v.SignedFor = s.seal.proof, s.seal.until, s.seal.lasts
	return v
}

// speakFor finds, for each address of a family without a route, another address of
// the same server that answered the same question.
func speakFor(views []ServerView) {
	for i := range views {
		v := &views[i]
		if !v.FamilyUntested || v.Name == "" {
			continue
		}
		j := slices.IndexFunc(views, func(x ServerView) bool {
			return x.Name == v.Name && x.Zone == v.Zone && x.Asked == v.Asked && x.Err == ""
		})
		if j >= 0 {
			v.JudgedBy = views[j].Address
		}
	}
}

// askRetained asks servers that nobody names any more, unless they are in the view, and
// says which of them the configuration excludes: those are not asked.
func (p *Pass) askRetained(ctx context.Context, v *View, reach map[string]time.Duration, retained []Retained) (views []ServerView, excluded []Server) {
	out := make([]ServerView, len(retained))
	left := make([]bool, len(retained)) // excluded
	each(retained, func(i int, r Retained) {
		if slices.ContainsFunc(v.Servers, func(s ServerView) bool { return s.Address == r.Address }) {
			return
		}
		srv := server{name: r.Name, addr: r.Address, source: SourceRetained, ttl: r.NSTTL}
		if srv.name != "" {
			srv.name = dns.CanonicalName(r.Name)
		}
		asked := dns.CanonicalName(or(string(r.Asked), string(v.Target)))
		zoneName := or(r.Zone, v.zoneOf(asked))
		if zoneName == "" {
			out[i] = sighting{server: srv, name: asked, err: errors.New(v.Err)}.view(0)
			return
		}
		zoneName = dns.CanonicalName(zoneName)
		if left[i] = srv.matches(p.zones[zoneName].Exclude); left[i] {
			return
		}
		z, err := p.look(ctx, zoneName)
		if err != nil {
			out[i] = sighting{server: srv, zone: zoneName, name: asked, err: err}.view(0)
			return
		}
		out[i] = p.sight(ctx, z, srv, asked).view(reach[asked])
	})
	for i, r := range retained {
		if left[i] && !slices.Contains(v.Excluded, r.Server) && !slices.Contains(excluded, r.Server) {
			excluded = append(excluded, r.Server)
		}
	}
	return slices.DeleteFunc(out, func(s ServerView) bool { return s.Asked == "" }), excluded
}

// zoneOf is the zone that holds a name on the way; that of Target where it is none.
func (v *View) zoneOf(name string) string {
	for _, a := range v.Aliases {
		if a.Owner == name && a.Zone != "" {
			return a.Zone
		}
	}
	return v.Zone
}

// oneEach leaves one view of each address: an address that is unknown for one name
// on the way is unknown, one that has an RRset of its own does not count as a
// server of an alias. An address with several RRsets keeps them all.
func oneEach(views []ServerView) []ServerView {
	byAddress := map[netip.AddrPort][]ServerView{}
	var order []netip.AddrPort
	var out []ServerView
	for _, v := range views {
		if !v.Address.IsValid() {
			if !slices.ContainsFunc(out, func(x ServerView) bool { return x.Server == v.Server && x.Zone == v.Zone }) {
				out = append(out, v)
			}
			continue
		}
		if byAddress[v.Address] == nil {
			order = append(order, v.Address)
		}
		byAddress[v.Address] = append(byAddress[v.Address], v)
	}
	for _, addr := range order {
		all := byAddress[addr]
		for _, v := range all {
			all[0].NSTTL = max(all[0].NSTTL, v.NSTTL)
		}
		for i := range all {
			all[i].NSTTL = all[0].NSTTL
		}
		if i := slices.IndexFunc(all, func(v ServerView) bool { return v.Err != "" }); i >= 0 {
			out = append(out, all[i])
			continue
		}
		own := slices.DeleteFunc(slices.Clone(all), func(v ServerView) bool { return v.Leads != "" })
		if len(own) == 0 {
			own = all[:1]
		}
		out = append(out, own...)
	}
	return out
}
