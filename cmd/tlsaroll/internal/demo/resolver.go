package demo

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A resolver answers anybody's questions, from its cache while it may and else
// from the authoritative servers, whom it asks in turn. What does not verify all
// the way from the root is a SERVFAIL, so whatever it answers is secure.
type resolver struct {
	root     hint
	now      func() time.Time
	exchange func(ctx context.Context, m *dns.Msg, network string, at netip.AddrPort) (*dns.Msg, error)
	answers  *cache

	mu    sync.Mutex // one question at a time is looked up
	zones map[string]zoneAt
	turn  int
}

// A hint is what a resolver must know of the root.
type hint struct {
	servers []netip.AddrPort
	anchor  *dns.DS
}

// zoneAt is a zone whose servers and keys are known.
type zoneAt struct {
	keyring
	servers []netip.AddrPort
	until   time.Time
}

// newResolver makes a resolver; turn says which of a zone's servers it asks first.
func newResolver(root hint, n network, now func() time.Time, turn int) *resolver {
	return &resolver{root: root, now: now, exchange: n.exchange, answers: newCache(), zones: map[string]zoneAt{}, turn: turn}
}

// answer answers a message.
func (r *resolver) answer(m *dns.Msg) (*dns.Msg, error) {
	e, err := r.resolve(context.Background(), questionOf(m))
	if err != nil {
		return nil, err
	}
	out := new(dns.Msg).SetReply(m)
	out.RecursionAvailable, out.AuthenticatedData = true, true
	out.Rcode = e.rcode
	now := r.now()
	out.Answer, out.Ns = e.aged(e.answer, now), e.aged(e.authority, now)
	return out, nil
}

func (r *resolver) resolve(ctx context.Context, q question) (entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.answers.get(q, r.now()); ok {
		return e, nil
	}
	z, err := r.closest(ctx, q)
	for err == nil {
		var m *dns.Msg
		if m, err = r.ask(ctx, z.servers, q); err != nil {
			break
		}
		if !m.Authoritative {
			z, err = r.descend(ctx, z, q, m)
			continue
		}
		now := r.now()
		if err = z.believe(q, m, now); err == nil {
			e := newEntry(m, now)
			r.answers.put(q, e)
			return e, nil
		}
	}
	return entry{}, err
}

// closest is the deepest zone known that may answer: of a DS, the parent of its name's.
func (r *resolver) closest(ctx context.Context, q question) (zoneAt, error) {
	name := q.name
	if q.rtype == dns.TypeDS {
		name = up(name)
	}
	for ; ; name = up(name) {
		if z, ok := r.zones[name]; ok && r.now().Before(z.until) {
			return z, nil
		}
		if name == "." {
			return r.learn(ctx, ".", r.root.servers, []*dns.DS{r.root.anchor})
		}
	}
}

// descend follows a delegation (RFC 4035, section 5.2).
func (r *resolver) descend(ctx context.Context, from zoneAt, q question, m *dns.Msg) (zoneAt, error) {
	var child string
	var ds []*dns.DS
	var signed []dns.RR
	for _, rr := range m.Ns {
		switch rr := rr.(type) {
		case *dns.NS:
			child = rr.Hdr.Name
		case *dns.DS:
			ds = append(ds, rr)
			signed = append(signed, rr)
		case *dns.RRSIG:
			signed = append(signed, rr)
		}
	}
	if child == from.zone || !dns.IsSubDomain(from.zone, child) || !dns.IsSubDomain(child, q.name) {
		return zoneAt{}, fmt.Errorf("zone %s: %s: neither an answer nor a delegation", from.zone, q)
	}
	if err := from.verify(signed, r.now()); err != nil {
		return zoneAt{}, err
	}
	var servers []netip.AddrPort
	for _, rr := range m.Extra {
		if a, ok := rr.(*dns.A); ok {
			if ip, ok := netip.AddrFromSlice(a.A.To4()); ok {
				servers = append(servers, netip.AddrPortFrom(ip, dnsPort))
			}
		}
	}
	return r.learn(ctx, child, servers, ds)
}

// learn takes up a zone whose servers and DS records are known.
func (r *resolver) learn(ctx context.Context, name string, servers []netip.AddrPort, ds []*dns.DS) (zoneAt, error) {
	m, err := r.ask(ctx, servers, question{name, dns.TypeDNSKEY})
	if err != nil {
		return zoneAt{}, err
	}
	now := r.now()
	ring, err := enter(name, m, ds, now)
	if err != nil {
		return zoneAt{}, err
	}
	z := zoneAt{ring, servers, now.Add(lowest(m.Answer))}
	r.zones[name] = z
	return z, nil
}

// rounds is how often each server of a zone is asked.
const rounds = 2

// ask asks a zone's servers in turn, beginning with another one each time.
func (r *resolver) ask(ctx context.Context, servers []netip.AddrPort, q question) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(q.name, q.rtype).SetEdns0(udpSize, true)
	m.RecursionDesired = false
	err := fmt.Errorf("%s: no server to ask", q)
	for range rounds * len(servers) {
		at := servers[r.turn%len(servers)]
		r.turn++
		var reply *dns.Msg
		reply, err = r.exchange(ctx, m, "udp", at)
		if err == nil && reply.Truncated {
			reply, err = r.exchange(ctx, m, "tcp", at)
		}
		if err == nil && reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
			err = fmt.Errorf("%s at %s: %s", q, at, dns.RcodeToString[reply.Rcode])
		}
		if err == nil {
			return reply, nil
		}
	}
	return nil, err
}
