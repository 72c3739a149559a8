package lookup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// ringAt returns the DNSKEYs that srv gives for z, verified: they are signed by a
// key of the set that the validating resolver vouches for, or by one that the
// parent's DS RRset names. Where there is no such set (bogus or indeterminate), they
// must at least sign themselves. A ring without keys is of a server that has none.
func (p *Pass) ringAt(ctx context.Context, z *zone, srv server) (keyring, error) {
	return p.rings.do(ctx, at{z.name, srv.addr}, func() (keyring, error) {
		ring, err := p.fetchRing(ctx, z, srv)
		if p, ok := errors.AsType[*problem](err); ok && p.fault != FaultSilent && p.fault != FaultNoRoute {
			fault := p.fault
			if fault == FaultBadSignature {
				fault = FaultBadKeys
			}
			err = &problem{fault, "the zone's keys: " + p.text}
		}
		return ring, err
	})
}

func (p *Pass) fetchRing(ctx context.Context, z *zone, srv server) (keyring, error) {
	ring := keyring{zone: z.name}
	r, err := p.askServer(ctx, z.name, srv.addr, question{name: z.name, qtype: dns.TypeDNSKEY})
	if err != nil {
		return ring, err
	}
	if err := authoritative(r.Msg); err != nil {
		return ring, err
	}
	s, ok := find(rrsets(lowered(r.Answer)), z.name, dns.TypeDNSKEY)
	if !ok {
		if z.security == Secure || z.security == Bogus {
			return ring, &problem{FaultUnsigned, fmt.Sprintf("%s DNSKEY: none, but the zone is signed", z.name)}
		}
		ring.proof = Unproved
		return ring, nil
	}
	for _, rr := range s.rrs {
		if key, ok := rr.(*dns.DNSKEY); ok {
			ring.keys = append(ring.keys, key)
			ring.tags = append(ring.tags, fmt.Sprintf("%d", key.KeyTag()))
		}
	}
	slices.Sort(ring.tags)
	if z.security != Secure {
		ring.seal, err = ring.verify(s, p.now())
		return ring, err
	}
	entry := keyring{zone: z.name, keys: z.anchored(ring.keys)}
	sl, err := entry.verify(s, p.now())
	if err != nil {
		// A key that the resolver's cache does not hold yet may stand in the DS RRset.
		if byDS := p.delegatedKeys(ctx, z, ring.keys); len(byDS) > 0 {
			entry.keys = byDS
			sl, err = entry.verify(s, p.now())
		}
	}
	ring.seal = sl
	return ring, err
}

// anchored returns those of keys that the resolver vouches for.
func (z *zone) anchored(keys []*dns.DNSKEY) []*dns.DNSKEY {
	var out []*dns.DNSKEY
	for _, k := range keys {
		for _, a := range z.anchors {
			if sameKey(k, a) {
				out = append(out, k)
				break
			}
		}
	}
	return out
}

func sameKey(a, b *dns.DNSKEY) bool {
	return a.Flags == b.Flags && a.Protocol == b.Protocol && a.Algorithm == b.Algorithm && a.PublicKey == b.PublicKey
}

// delegatedKeys returns those of keys that a secure DS RRset at the parent names.
func (p *Pass) delegatedKeys(ctx context.Context, z *zone, keys []*dns.DNSKEY) []*dns.DNSKEY {
	if z.name == "." {
		return nil
	}
	a := p.Ask(ctx, z.name, dns.TypeDS)
	if a.Security != Secure {
		return nil
	}
	var out []*dns.DNSKEY
	for _, k := range keys {
		for _, rr := range a.Records {
			ds, ok := rr.(*dns.DS)
			if !ok || ds.Algorithm != k.Algorithm || ds.KeyTag != k.KeyTag() {
				continue
			}
			if own := k.ToDS(ds.DigestType); own != nil && strings.EqualFold(own.Digest, ds.Digest) {
				out = append(out, k)
				break
			}
		}
	}
	return out
}
