package lookup

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Owner looks at the TLSA records of one owner name: at every authoritative
// address of every zone on the way to them, and through the validating resolver.
// Retained servers are asked beside those.
func (p *Pass) Owner(ctx context.Context, owner tlsa.Owner, retained ...Retained) View {
	v := View{Owner: owner, Target: owner}
	name := dns.CanonicalName(string(owner))
	w := &walk{pass: p, start: name, stops: map[string]*stop{}}
	var records, address Answer
	var wg sync.WaitGroup
	wg.Go(func() { records = p.Ask(ctx, name, dns.TypeTLSA) })
	// A zone whose denials are broken breaks DANE although the TLSA records
	// verify: some senders and Internet.nl ask for addresses at the owner name.
	wg.Go(func() { address = p.Ask(ctx, name, dns.TypeA) })
	wg.Go(func() { w.run(ctx) })
	wg.Wait()

	v.Security, v.SecurityText = records.Security, records.Text
	v.Resolved = resolved(records, name)
	v.Err = w.err
	path := w.path(records)
	v.Target = tlsa.Owner(path[len(path)-1])
	if s := w.stops[string(v.Target)]; s != nil && len(s.zones) > 0 {
		v.Zone = s.zones[len(s.zones)-1].name
	}
	reach := w.reach()
	v.AliasTTL = reach[string(v.Target)]
	v.Aliases = w.aliases()
	v.Servers = w.views(reach)
	v.Excluded, v.Incomplete = w.excluded(), w.incomplete()
	left, excluded := p.askRetained(ctx, &v, reach, retained)
	v.Servers, v.Excluded = append(v.Servers, left...), append(v.Excluded, excluded...)
	speakFor(v.Servers)
	v.Servers = oneEach(v.Servers)

	v.Findings = slices.DeleteFunc(w.findings(), func(f Finding) bool { return f.Code == FindingExcludeUnused && means(f.About, excluded) })
	v.Findings = append(v.Findings, untested(v)...)
	v.Findings = append(v.Findings, differs(v)...)
	v.Findings = append(v.Findings, p.checkMiddle(ctx, v)...)
	if address.Security == Bogus && v.Security != Bogus {
		v.Findings = append(v.Findings, finding(FindingDenialBogus, Serious, name, "%s: another question than TLSA is bogus there, so the zone's denials are broken: %s", name, address.Text))
	}
	v.Findings = distinct(v.Findings)
	return v
}

// resolved reads the validating resolver's answer, aliases followed.
func resolved(a Answer, name string) *tlsa.RRset {
	if a.Err != "" || a.Security == Bogus {
		return nil
	}
	_, end, err := chase(a.Records, name)
	if err != nil {
		return nil
	}
	s := sighting{name: end, rrset: tlsa.RRset{TTL: a.NegativeTTL}}
	if set, ok := find(rrsets(a.Records), end, dns.TypeTLSA); ok {
		s.readRRset(judge{}, new(dns.Msg), rrset{name: set.name, rtype: set.rtype, rrs: set.rrs})
	}
	if s.err != nil {
		return nil
	}
	return &s.rrset
}

// untested names the addresses that this host has no route to.
func untested(v View) []Finding {
	var out []Finding
	for _, s := range v.Servers {
		switch {
		case s.FamilyUntested && s.JudgedBy.IsValid():
			out = append(out, finding(FindingFamilyUntested, Info, s.Address.String(), "%s cannot be asked from here; it is judged by %s (no route to an %s address)", s.Server, s.JudgedBy.Addr(), family(s.Address.Addr())))
		case s.FamilyUntested:
			out = append(out, finding(FindingFamilyUntested, Warning, s.Address.String(), "%s cannot be asked from here, and no other address of that server answers: what it gives is unknown (hint: exclude it, or give this host a route to %s)", s.Server, family(s.Address.Addr())))
		}
	}
	return out
}

// differs compares the resolver's answer with the servers'. It may be an older
// one, as after any change; it may also be another world's.
func differs(v View) []Finding {
	if v.Resolved == nil {
		return nil
	}
	seen := false
	for _, s := range v.Servers {
		if s.Err != "" || s.Leads != "" {
			continue
		}
		if seen = true; s.RRset.Same(*v.Resolved) {
			return nil
		}
	}
	if !seen {
		return nil
	}
	return []Finding{finding(FindingResolverDiffers, Info, string(v.Owner), "%s: the resolver gives an answer that no server gives now, for %s more: an older one, or another view of the zone", v.Owner, v.Resolved.TTL)}
}

// checkMiddle looks whether the name above the records, such as _tcp.mx.example.org.,
// is denied: a faulty signer, or a server that does not know such names in what it is
// given, says NXDOMAIN there, and resolvers that minimise their questions then do not find
// the records (RFC 8020, section 2; RFC 9156, section 2.3).
func (p *Pass) checkMiddle(ctx context.Context, v View) []Finding {
	up := parent(string(v.Target))
	if v.Target.Port() == 0 || !below(up, v.Zone) || v.Zone == "" {
		return nil
	}
	denies := make([]bool, len(v.Servers))
	each(v.Servers, func(i int, srv ServerView) {
		if srv.Err != "" || srv.Leads != "" || srv.Denied || srv.Asked != v.Target || srv.Source == SourceHidden {
			return
		}
		r, err := p.middles.do(ctx, at{up, srv.Address}, func() (reply, error) {
			return p.askServer(ctx, srv.Zone, srv.Address, question{name: up, qtype: dns.TypeTLSA})
		})
		denies[i] = err == nil && r.Rcode == dns.RcodeNameError && r.Authoritative && len(r.Answer) == 0
	})
	i := slices.Index(denies, true)
	if i < 0 {
		return nil
	}
	return []Finding{finding(FindingEmptyNonTerminal, Serious, up, "%s: %s says NXDOMAIN although %s exists; resolvers that minimise their questions will not find it (hint: the signer is faulty)", up, v.Servers[i].Server, v.Target)}
}

func distinct(all []Finding) []Finding {
	var out []Finding
	for _, f := range all {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// chase follows the aliases in an answer section from name to its end.
func chase(records []dns.RR, name string) (steps []Alias, end string, err error) {
	sets := rrsets(records)
	for {
		set, ok := find(sets, name, dns.TypeCNAME)
		if !ok {
			return steps, name, nil
		}
		c, ok := set.rrs[0].(*dns.CNAME)
		if !ok || len(steps) == maxAliases {
			return steps, name, fmt.Errorf("alias %s: more than %d steps, or a loop", steps[0].Owner, maxAliases)
		}
		steps = append(steps, Alias{Owner: name, Target: dns.CanonicalName(c.Target), TTL: set.longest()})
		name = dns.CanonicalName(c.Target)
	}
}
