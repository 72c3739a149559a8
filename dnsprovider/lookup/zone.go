package lookup

import (
	"context"
	"fmt"
	"sync"

	"github.com/miekg/dns"
)

// A zone is what all names in it share.
type zone struct {
	name    string
	options Zone

	security Security      // of its DNSKEY RRset
	anchors  []*dns.DNSKEY // that the resolver vouches for; none unless secure

	servers    []server
	nameless   []nameless // servers that cannot be asked for want of an address
	excluded   []server
	incomplete string // why servers may be missing
	findings   []Finding
}

// nameless is a name server without an address that could be found.
type nameless struct {
	server
	problem *problem
	unknown bool // it may have one that could not be looked up; see zone.incomplete
}

// signed reports whether answers must carry signatures.
func (z *zone) signed() bool { return z.security == Secure || z.security == Bogus }

// look returns the servers and keys of a zone.
func (p *Pass) look(ctx context.Context, name string) (*zone, error) {
	return p.looks.do(ctx, name, func() (*zone, error) {
		z := &zone{name: name, options: p.zones[name]}
		g := &gathering{pass: p, zone: z, hosts: map[string]*nameserver{}}
		var wg sync.WaitGroup
		wg.Go(func() { p.lookKeys(ctx, z) })
		wg.Go(func() { g.run(ctx) })
		wg.Wait()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		z.findings = append(z.findings, g.findings...)
		if len(z.servers) == 0 && len(z.nameless) == 0 {
			return nil, fmt.Errorf("zone %s: no server to ask: %s", name, or(z.incomplete, "none is named (hint: are all of them excluded?)"))
		}
		return z, nil
	})
}

// lookKeys asks the resolver whether and by which keys the zone is signed.
func (p *Pass) lookKeys(ctx context.Context, z *zone) {
	a := p.Ask(ctx, z.name, dns.TypeDNSKEY)
	z.security = a.Security
	for _, rr := range a.Records {
		key, ok := rr.(*dns.DNSKEY)
		if !ok || key.Hdr.Name != z.name {
			continue
		}
		if a.Security == Secure {
			z.anchors = append(z.anchors, key)
		}
		if a.Security == Insecure {
			z.findings = append(z.findings, finding(FindingNoDS, Warning, z.name,
				"zone %s has DNSKEY records but no chain of trust, so it is not signed for anyone (hint: publish its DS record at the parent)", z.name))
			break
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// each runs f for all items at once, and waits.
func each[T any](items []T, f func(i int, item T)) {
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Go(func() { f(i, item) })
	}
	wg.Wait()
}
