package demo

import (
	"crypto"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// A zoneKey is the one key of a zone, for its DNSKEY RRset and all others.
type zoneKey struct {
	zone   string
	public *dns.DNSKEY
	signer crypto.Signer
	now    func() time.Time
}

// Signatures are made while answering. They begin in the past, as clocks differ,
// and last longer than any demo.
const (
	signedBefore = time.Hour
	signedFor    = 7 * 24 * time.Hour
)

func newZoneKey(zone string, ttl time.Duration, now func() time.Time) (*zoneKey, error) {
	for {
		public := &dns.DNSKEY{Hdr: header(zone, dns.TypeDNSKEY, ttl), Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
		private, err := public.Generate(256)
		if err != nil {
			return nil, fmt.Errorf("zone %s: key: %w", zone, err)
		}
		if public.KeyTag() != 0 { // the library takes tag 0 for none
			return &zoneKey{zone, public, private.(crypto.Signer), now}, nil
		}
	}
}

// ds is what the parent, or a trust anchor, says of the key.
func (k *zoneKey) ds() *dns.DS { return k.public.ToDS(dns.SHA256) }

// signed returns an RRset with its signature.
func (k *zoneKey) signed(set []dns.RR) ([]dns.RR, error) {
	if len(set) == 0 {
		return nil, nil
	}
	now := k.now()
	sig := &dns.RRSIG{
		Hdr:       dns.RR_Header{Ttl: set[0].Header().Ttl},
		Algorithm: k.public.Algorithm, KeyTag: k.public.KeyTag(), SignerName: k.zone,
		Inception: uint32(now.Add(-signedBefore).Unix()), Expiration: uint32(now.Add(signedFor).Unix()),
	}
	if err := sig.Sign(k.signer, set); err != nil {
		return nil, fmt.Errorf("zone %s: sign %s: %w", k.zone, set[0].Header().Name, err)
	}
	return append(set[:len(set):len(set)], sig), nil
}

func header(name string, rtype uint16, ttl time.Duration) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rtype, Class: dns.ClassINET, Ttl: uint32(ttl / time.Second)}
}
