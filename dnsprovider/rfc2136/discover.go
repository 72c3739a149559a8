package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// discovery finds zones and primaries, and remembers them for one call.
type discovery struct {
	p         *Provider
	zones     map[string]string // by name
	addresses map[string][]string
}

func (p *Provider) discover() *discovery {
	return &discovery{p: p, zones: map[string]string{}, addresses: map[string][]string{}}
}

// zoneOf returns the zone that owner is to be changed in: the one asked for, the one
// configured, or the one found.
func (d *discovery) zoneOf(ctx context.Context, asked string, owner tlsa.Owner) (string, *trouble) {
	zone, err := dnsprovider.CanonicalZone(asked)
	switch {
	case err != nil:
		return "", &trouble{kind: dnsprovider.Malformed, err: err}
	case zone == "":
		zone = d.p.zone
	case d.p.zone != "" && d.p.zone != zone:
		return "", &trouble{kind: dnsprovider.NoZone, err: fmt.Errorf("the zone %s is asked for, and the provider is for %s alone", zone, d.p.zone)}
	}
	if zone == "" {
		return d.findZone(ctx, string(owner))
	}
	if !dnsprovider.InZone(string(owner), zone) {
		return "", &trouble{kind: dnsprovider.OutsideZone, err: fmt.Errorf("the zone is %s and the name lies outside of it", zone)}
	}
	return zone, nil
}

// findZone walks up from name to the apex of its zone (RFC 2136, section 4.1): to the
// first name that owns a SOA. The server itself is asked if it is configured,
// as it may be hidden, else the resolver.
func (d *discovery) findZone(ctx context.Context, name string) (string, *trouble) {
	ask, t := d.whoKnows(ctx)
	if t != nil {
		return "", t
	}
	var passed []string
	var why *trouble
	for at := name; at != ""; at = parent(at) {
		zone, known := d.zones[at]
		passed = append(passed, at)
		if !known {
			reply, t := ask(ctx, query(at, dns.TypeSOA))
			if t != nil && t.kind != dnsprovider.Refused && t.kind != dnsprovider.NoZone {
				return "", t
			}
			if t != nil { // not the server's zone, or below one of its zone cuts: further up it may be
				why = t
				continue
			}
			zone = soaOf(at, reply)
		}
		if zone == "" {
			continue
		}
		if d.p.server == "" && dns.CountLabel(zone) < 2 {
			break // a top level domain: the domain below it does not exist
		}
		for _, name := range passed {
			d.zones[name] = zone
		}
		return zone, nil
	}
	none := &trouble{
		kind: dnsprovider.NoZone, err: errors.New("no zone found that the name lies in"),
		hint: "does the domain exist, and does the server, or the resolver, know it; else configure the zone",
	}
	if why != nil {
		none.err, none.address = fmt.Errorf("%w: %w", none.err, why.err), why.address
	}
	return "", none
}

// soaOf returns the zone that name lies in, as the reply to a query for its SOA tells:
// it is its own apex, or the denial has the SOA of the zone (RFC 2308, section 3).
// An alias at the name leads astray, so only the name itself counts then.
func soaOf(name string, reply *dns.Msg) string {
	aliased := false
	for _, rr := range reply.Answer {
		aliased = aliased || rr.Header().Rrtype == dns.TypeCNAME
		if soa, ok := rr.(*dns.SOA); ok && dns.CanonicalName(soa.Hdr.Name) == name {
			return name
		}
	}
	for _, rr := range reply.Ns {
		if zone := dns.CanonicalName(rr.Header().Name); rr.Header().Rrtype == dns.TypeSOA && !aliased && dnsprovider.InZone(name, zone) {
			return zone
		}
	}
	return ""
}

// asking sends one query.
type asking func(context.Context, *dns.Msg) (*dns.Msg, *trouble)

// whoKnows returns who is asked for zones.
func (d *discovery) whoKnows(ctx context.Context) (asking, *trouble) {
	if d.p.server == "" {
		return d.p.askResolver, nil
	}
	addresses, t := d.serverAddresses(ctx)
	if t != nil {
		return nil, t
	}
	return func(ctx context.Context, m *dns.Msg) (reply *dns.Msg, t *trouble) {
		for _, address := range addresses {
			if reply, t = d.p.askServer(ctx, address, m.Copy()); t == nil || !t.leaves.another() {
				break
			}
		}
		return reply, t
	}, nil
}

// askServer asks the primary, and takes only what it says with authority.
func (p *Provider) askServer(ctx context.Context, address string, m *dns.Msg) (*dns.Msg, *trouble) {
	s := p.open(address)
	defer s.release()
	replies, troubles := s.ask(ctx, []*dns.Msg{m})
	if troubles[0] != nil {
		return nil, troubles[0]
	}
	reply := replies[0]
	if t := noAnswer(reply.Rcode); t != nil {
		return nil, t.at(address)
	}
	if !reply.Authoritative {
		return nil, (&trouble{
			kind: dnsprovider.NoZone, err: fmt.Errorf("the server does not answer with authority for %s", m.Question[0].Name),
			hint: "is it the primary of a zone that the name lies in",
		}).at(address)
	}
	return reply, nil
}

// primaryOf returns the addresses of the server that takes updates of the zone: the one
// configured, else the one that the SOA names (RFC 2136, section 4.3).
func (d *discovery) primaryOf(ctx context.Context, zone string) ([]string, *trouble) {
	if d.p.server != "" {
		return d.serverAddresses(ctx)
	}
	if found, ok := d.addresses[zone]; ok {
		return found, nil
	}
	mname, t := d.mnameOf(ctx, zone)
	if t != nil {
		return nil, t
	}
	found, t := d.p.addressesOf(ctx, mname, d.p.port)
	if t != nil {
		return nil, t
	}
	d.addresses[zone] = found
	return found, nil
}

func (d *discovery) mnameOf(ctx context.Context, zone string) (string, *trouble) {
	reply, t := d.p.askResolver(ctx, query(zone, dns.TypeSOA))
	if t != nil {
		return "", t
	}
	for _, rr := range reply.Answer {
		soa, ok := rr.(*dns.SOA)
		if !ok || dns.CanonicalName(soa.Hdr.Name) != zone {
			continue
		}
		mname := dns.CanonicalName(soa.Ns)
		d.mention(ctx, zone, mname)
		return mname, nil
	}
	return "", &trouble{
		kind: dnsprovider.NoZone, err: fmt.Errorf("the resolver finds no SOA at %s, so the zone does not exist", zone),
		hint: "is that the name of the zone; if it is hidden, configure the server",
	}
}

// mention says so if the primary is none of the zone's name servers: it may be hidden, it
// may be wrong.
func (d *discovery) mention(ctx context.Context, zone, mname string) {
	reply, t := d.p.askResolver(ctx, query(zone, dns.TypeNS))
	if t != nil {
		return
	}
	listed := slices.ContainsFunc(reply.Answer, func(rr dns.RR) bool {
		ns, ok := rr.(*dns.NS)
		return ok && dns.CanonicalName(ns.Ns) == mname
	})
	if !listed {
		d.p.log.Warn("the primary that the SOA names is none of the zone's name servers, updates go there all the same", "zone", zone, "primary", mname)
	}
}

// serverAddresses are those of the configured server.
func (d *discovery) serverAddresses(ctx context.Context) ([]string, *trouble) {
	if found, ok := d.addresses[""]; ok {
		return found, nil
	}
	host, port, err := net.SplitHostPort(d.p.server)
	if err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: err}
	}
	found, t := d.p.addressesOf(ctx, host, port)
	if t == nil {
		d.addresses[""] = found
	}
	return found, t
}

func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}
