package lookup

import (
	"context"
	"slices"

	"github.com/miekg/dns"
)

// A ServedView is the records of one name and type that one authoritative address gives.
type ServedView struct {
	Server
	Records  []dns.RR // names in lower case
	Wildcard bool     // they are expanded from a wildcard
	Err      string   // why it is not known; Records is then empty
	// FamilyUntested says that this host has no route for the address family (Err is
	// set): other addresses have to speak for it.
	FamilyUntested bool
}

// Served asks every authoritative address of a zone, but those that the configuration
// excludes, for the records of one type at a name. A denial is a view without records, and so
// is an alias. No resolver hears of the name: one that is asked before the records are
// everywhere remembers their absence, for that name and for others near it (RFC 2308, section
// 5; RFC 8198). Signatures are not verified.
func (p *Pass) Served(ctx context.Context, zone, name string, qtype uint16) ([]ServedView, error) {
	zone, name = dns.CanonicalName(zone), dns.CanonicalName(name)
	z, err := p.look(ctx, zone)
	if err != nil {
		return nil, err
	}
	views := make([]ServedView, len(z.servers))
	each(z.servers, func(i int, s server) {
		v := &views[i]
		v.Server = Server{s.name, s.addr}
		r, err := p.askServer(ctx, z.name, s.addr, question{name: name, qtype: qtype})
		if err == nil {
			err = authoritative(r.Msg)
		}
		if err != nil {
			v.Err, v.FamilyUntested = err.Error(), faultOf(err) == FaultNoRoute
			return
		}
		if set, ok := find(rrsets(lowered(r.Answer)), name, qtype); ok {
			v.Records = set.rrs
			v.Wildcard = slices.ContainsFunc(set.sigs, func(s *dns.RRSIG) bool { return int(s.Labels) < dns.CountLabel(name) })
		}
	})
	var nameless []ServedView
	for _, n := range z.nameless {
		nameless = append(nameless, ServedView{Server: Server{Name: n.name}, Err: n.problem.Error()})
	}
	return slices.Concat(views, nameless), ctx.Err()
}
