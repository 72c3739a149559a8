package lookup

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A Pass is one look at many names. What they share is looked up once: however
// many owner names lie in a zone, its NS sets, addresses and keys cost the same
// number of questions. A server that was silent about a zone is not waited for
// again. Safe for concurrent use; make a new one for each look.
type Pass struct {
	client *Client
	zones  map[string]Zone

	answers memo[question, Answer]      // of the validating resolver
	test    memo[struct{}, error]       // its self-test
	alive   memo[struct{}, error]       // whether it answers at all
	cuts    memo[string, string]        // name -> zone
	looks   memo[string, *zone]         // zone -> its servers and keys
	rings   memo[at, keyring]           // zone and server -> the DNSKEYs it gives
	sights  memo[[2]string, []sighting] // zone and name -> what each server gives
	middles memo[at, reply]             // empty non-terminal and server -> its answer

	mu     sync.Mutex
	silent map[at]error // zone and server
}

// at is a name, or a zone, as seen at one server.
type at struct {
	name   string
	server netip.AddrPort
}

// NewPass begins a look with the options of the configuration, by zone name.
func (c *Client) NewPass(zones map[string]Zone) *Pass {
	p := &Pass{client: c, zones: make(map[string]Zone, len(zones)), silent: map[at]error{}}
	for name, z := range zones {
		p.zones[dns.CanonicalName(name)] = z
	}
	return p
}

func (p *Pass) now() time.Time { return p.client.cfg.Now() }

// askServer puts q to a server of zone. One that was silent about the zone in this
// pass is not asked again; about another zone it is, for some servers drop only
// what they do not understand (RFC 7672, section 2.2.2).
func (p *Pass) askServer(ctx context.Context, zone string, server netip.AddrPort, q question) (reply, error) {
	key := at{zone, server}
	p.mu.Lock()
	err := p.silent[key]
	p.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	r, err := p.client.ask(ctx, server, q)
	if err != nil && ctx.Err() == nil && (faultOf(err) == FaultSilent || faultOf(err) == FaultNoRoute) {
		p.mu.Lock()
		p.silent[key] = err
		p.mu.Unlock()
	}
	return r, err
}

// askResolver puts q to the validating resolver. One that is silent about q may be
// waiting for the servers of a dead zone; only if it is silent about the self-test's
// name too, it is taken for dead during this pass.
func (p *Pass) askResolver(ctx context.Context, q question) (reply, error) {
	p.mu.Lock()
	err := p.silent[at{server: p.client.cfg.Resolver}]
	p.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	r, err := p.client.ask(ctx, p.client.cfg.Resolver, q)
	if err == nil || ctx.Err() != nil || (faultOf(err) != FaultSilent && faultOf(err) != FaultNoRoute) {
		return r, err
	}
	probe := question{name: p.client.cfg.SelfTestName, qtype: dns.TypeSOA, recurse: true}
	dead, stopped := p.alive.do(ctx, struct{}{}, func() (error, error) {
		if probe == q {
			return err, nil
		}
		_, err := p.client.ask(ctx, p.client.cfg.Resolver, probe)
		return err, nil
	})
	if dead != nil && stopped == nil {
		p.mu.Lock()
		p.silent[at{server: p.client.cfg.Resolver}] = err
		p.mu.Unlock()
	}
	return r, err
}
