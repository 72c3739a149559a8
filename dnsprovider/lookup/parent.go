package lookup

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// fromParent asks the parent zone's servers whom they delegate the zone to: each
// of them by name, at the first of its addresses that answers.
func (g *gathering) fromParent(ctx context.Context) {
	z := g.zone
	if z.name == "." {
		return // the root has no parent; its servers are in every resolver
	}
	up, err := g.pass.ZoneOf(ctx, parent(z.name))
	if err != nil {
		g.parentUnseen("zone %s: its parent is unknown: %s", z.name, err)
		return
	}
	a := g.pass.Ask(ctx, up, dns.TypeNS)
	upper, ok := nsSetOf(a.Records, nil, up, up)
	if !ok {
		g.parentUnseen("zone %s: the servers of its parent %s are unknown: %s", z.name, up, or(a.Err, "no NS records"))
		return
	}
	names := slices.Sorted(maps.Keys(upper.names))
	views := make([]parentView, len(names))
	each(names, func(i int, name string) { views[i] = g.askParent(ctx, up, name) })

	delegated, answered := false, false
	var silent []string
	for i, v := range views {
		switch {
		case v.delegates:
			delegated, answered = true, true
			g.merge(v.set, func(ns *nameserver) { ns.parent = true })
		case v.answers:
			answered = true
		default:
			silent = append(silent, names[i]+": "+v.why)
		}
	}
	switch {
	case !answered:
		g.parentUnseen("zone %s: no server of its parent %s answers: %s", z.name, up, strings.Join(silent, "; "))
	case !delegated && !z.options.Private:
		g.findings = append(g.findings, finding(FindingSplitDNS, Warning, z.name,
			"the resolver knows a zone %s, but the servers of %s delegate no such zone: the world sees something else (hint: set private for a zone that is not public)", z.name, up))
	}
}

// parentUnseen notes that the delegation could not be seen. A private zone may
// have none.
func (g *gathering) parentUnseen(format string, args ...any) {
	if !g.zone.options.Private {
		g.missing(format, args...)
	}
}

// parentView is what one server of the parent says of the delegation.
type parentView struct {
	set       nsSet
	delegates bool
	answers   bool   // and may deny that there is a delegation
	why       string // it does not answer
}

func (g *gathering) askParent(ctx context.Context, up, name string) parentView {
	found := g.pass.addressesOf(ctx, name)
	v := parentView{why: or(found.err, "no address")}
	for _, addr := range slices.SortedFunc(maps.Keys(found.addrs), netip.Addr.Compare) {
		server := netip.AddrPortFrom(addr, g.pass.client.cfg.Port)
		r, err := g.pass.askServer(ctx, up, server, question{name: g.zone.name, qtype: dns.TypeNS})
		if err == nil && r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError {
			err = authoritative(r.Msg)
		}
		if err != nil {
			v.why = err.Error()
			continue
		}
		// A server of both zones answers with the child's own set.
		if set, ok := nsSetOf(r.Answer, r.Extra, g.zone.name, up); ok && r.Authoritative {
			return parentView{set: set, delegates: true, answers: true}
		}
		if set, ok := nsSetOf(r.Ns, r.Extra, g.zone.name, up); ok {
			return parentView{set: set, delegates: true, answers: true}
		}
		if r.Authoritative {
			return parentView{answers: true}
		}
		v.why = "not authoritative"
	}
	return v
}

// compare looks for another world: other name servers at the resolver than at
// parent and child, or addresses that the public cannot reach.
func (g *gathering) compare(resolver nsSet) {
	z := g.zone
	var parents, children, strange []string
	overlap, seen := false, false
	for _, name := range slices.Sorted(maps.Keys(g.hosts)) {
		ns := g.hosts[name]
		if ns.parent && !ns.child {
			parents = append(parents, name)
		}
		if ns.child && !ns.parent {
			children = append(children, name)
		}
		if ns.parent || ns.child {
			_, there := resolver.names[name]
			overlap, seen = overlap || there, true
		}
		for _, addr := range slices.SortedFunc(maps.Keys(ns.addrs), netip.AddrPort.Compare) {
			if private(addr.Addr()) {
				strange = append(strange, label(name, addr))
			}
		}
	}
	if delegated := slices.ContainsFunc(slices.Collect(maps.Values(g.hosts)), func(ns *nameserver) bool { return ns.parent }); delegated && len(parents)+len(children) > 0 {
		g.findings = append(g.findings, finding(FindingNSDisagree, Warning, z.name,
			"zone %s: parent and child name different servers%s%s; all are asked", z.name, only("parent", parents), only("child", children)))
	}
	if z.options.Private {
		return
	}
	if len(strange) > 0 {
		g.findings = append(g.findings, finding(FindingSplitDNS, Warning, strings.Join(strange, ", "),
			"zone %s: private address in a public zone: %s (hint: is the resolver's view that of the public? set private for a zone that is not public)", z.name, strings.Join(strange, ", ")))
	}
	if seen && len(resolver.names) > 0 && !overlap {
		g.findings = append(g.findings, finding(FindingSplitDNS, Warning, z.name,
			"zone %s: the resolver's name servers (%s) are others than those of parent and child: it sees another zone", z.name, strings.Join(slices.Sorted(maps.Keys(resolver.names)), ", ")))
	}
}

func only(who string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; only the " + who + ": " + strings.Join(names, ", ")
}
