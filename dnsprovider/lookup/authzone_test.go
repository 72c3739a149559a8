package lookup_test

import (
	"crypto"
	"encoding/base32"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// An authZone is one copy of a zone, signed as it answers.
type authZone struct {
	t       *testing.T
	name    string
	now     time.Time
	records []dns.RR

	key                   *dns.DNSKEY // nil: not signed
	signer                crypto.Signer
	extraKeys             []*dns.DNSKEY // beside key
	unknown               bool          // the algorithm is one that the library lacks
	inception, expiration time.Time
	nsec3, optOut         bool
	iterations            uint16
	nsecTTL               uint32               // 0: the SOA's minimum
	origTTL               uint32               // of RRSIGs; 0: the RRset's
	keysUntil             time.Time            // end of the signature over the DNSKEYs; zero: expiration
	spoil                 func(sig *dns.RRSIG) // after signing
	omit                  func(rr dns.RR) bool // left out of every answer
}

// put adds records in zone file format; @ is the apex.
func (z *authZone) put(text string) {
	z.t.Helper()
	p := dns.NewZoneParser(strings.NewReader(text), z.name, "")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		rr.Header().Name = strings.ToLower(rr.Header().Name)
		z.records = append(z.records, rr)
	}
	if err := p.Err(); err != nil {
		z.t.Fatal(err)
	}
}

// drop removes the records of a name; types may narrow it down.
func (z *authZone) drop(name string, types ...uint16) {
	z.records = slices.DeleteFunc(slices.Clone(z.records), func(rr dns.RR) bool {
		return rr.Header().Name == name && (len(types) == 0 || slices.Contains(types, rr.Header().Rrtype))
	})
}

func (z *authZone) newKey(flags uint16) {
	z.t.Helper()
	z.key = &dns.DNSKEY{Hdr: dns.RR_Header{Name: z.name, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: flags, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	priv, err := z.key.Generate(256)
	for err == nil && z.key.KeyTag() == 0 { // which the library does not sign with
		priv, err = z.key.Generate(256)
	}
	if err != nil {
		z.t.Fatal(err)
	}
	z.signer = priv.(crypto.Signer)
}

func (z *authZone) setSigner(priv crypto.PrivateKey) { z.signer = priv.(crypto.Signer) }

// newUnknownKey makes a key of algorithm ED448, which the library cannot verify.
// What it signs is as good as noise.
func (z *authZone) newUnknownKey() {
	z.newKey(257)
	z.key.Algorithm, z.unknown = dns.ED448, true
}

func (z *authZone) ds() *dns.DS {
	ds := z.key.ToDS(dns.SHA256)
	ds.Hdr.Ttl = 3600
	return ds
}

// rrset returns the records of a name and type; DNSKEYs are made up.
func (z *authZone) rrset(name string, t uint16) []dns.RR {
	var out []dns.RR
	if t == dns.TypeDNSKEY && name == z.name && z.key != nil {
		out = append(out, z.key)
		for _, k := range z.extraKeys {
			out = append(out, k)
		}
	}
	for _, rr := range z.records {
		if rr.Header().Name == name && rr.Header().Rrtype == t {
			out = append(out, rr)
		}
	}
	return out
}

// signed returns the set with its RRSIG, both under owner (which differs from the
// set's own name for an expanded wildcard).
func (z *authZone) signed(set []dns.RR, owner string) []dns.RR {
	if len(set) == 0 {
		return nil
	}
	var out []dns.RR
	for _, rr := range set {
		c := dns.Copy(rr)
		c.Header().Name = owner
		out = append(out, c)
	}
	if z.key != nil && !z.delegationNS(set) {
		sig := &dns.RRSIG{
			Hdr: dns.RR_Header{Ttl: set[0].Header().Ttl}, OrigTtl: z.origTTL, Algorithm: z.key.Algorithm, KeyTag: z.key.KeyTag(), SignerName: z.name,
			Inception: uint32(z.inception.Unix()), Expiration: uint32(z.expiration.Unix()),
		}
		if set[0].Header().Rrtype == dns.TypeDNSKEY && !z.keysUntil.IsZero() {
			sig.Expiration = uint32(z.keysUntil.Unix())
		}
		plain := make([]dns.RR, len(set))
		for i, rr := range set { // a signer knows one TTL
			plain[i] = dns.Copy(rr)
			plain[i].Header().Ttl = set[0].Header().Ttl
		}
		if z.unknown {
			sig.Algorithm = dns.ECDSAP256SHA256
		}
		if err := sig.Sign(z.signer, plain); err != nil {
			z.t.Errorf("signing %v: %v", set, err)
		}
		sig.Algorithm = z.key.Algorithm
		if z.spoil != nil {
			z.spoil(sig)
		}
		sig.Hdr.Name = owner
		out = append(out, sig)
	}
	return out
}

func (z *authZone) delegationNS(set []dns.RR) bool {
	return set[0].Header().Rrtype == dns.TypeNS && set[0].Header().Name != z.name
}

// types are those at a name, as in a type bitmap.
func (z *authZone) types(name string) []uint16 {
	set := map[uint16]bool{}
	for _, rr := range z.records {
		if rr.Header().Name == name {
			set[rr.Header().Rrtype] = true
		}
	}
	if name == z.name {
		set[dns.TypeDNSKEY] = true
	}
	if z.cut(name) == name { // glue is not the zone's
		delete(set, dns.TypeA)
		delete(set, dns.TypeAAAA)
	}
	if len(set) > 0 && (z.cut(name) == "" || set[dns.TypeDS]) {
		set[dns.TypeRRSIG] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// cut is the delegation at or above name, "" for none.
func (z *authZone) cut(name string) string {
	labels := dns.SplitDomainName(name)
	for i := len(labels) - dns.CountLabel(z.name) - 1; i >= 0; i-- {
		n := strings.Join(labels[i:], ".") + "."
		if len(z.rrset(n, dns.TypeNS)) > 0 {
			return n
		}
	}
	return ""
}

// owners are the names of the zone, without glue; with empty non-terminals if asked.
func (z *authZone) owners(empty bool) []string {
	set := map[string]bool{z.name: true}
	for _, rr := range z.records {
		name := rr.Header().Name
		if c := z.cut(name); c != "" && c != name {
			continue
		}
		for ; name != z.name; name = up(name) {
			set[name] = true
			if !empty {
				break
			}
		}
	}
	return slices.Collect(maps.Keys(set))
}

func up(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

func (z *authZone) exists(name string) bool { return slices.Contains(z.owners(true), name) }

// reversed is a sort key in canonical order for names without escapes.
func reversed(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}

// denialRecord returns the signed NSEC or NSEC3 record at or over name.
func (z *authZone) denialRecord(name string) []dns.RR {
	if z.key == nil {
		return nil
	}
	soa := z.rrset(z.name, dns.TypeSOA)[0].(*dns.SOA)
	ttl := soa.Minttl
	if z.nsecTTL > 0 {
		ttl = z.nsecTTL
	}
	if z.nsec3 {
		return z.nsec3Record(name, ttl)
	}
	owners := z.owners(false)
	slices.SortFunc(owners, func(a, b string) int { return strings.Compare(reversed(a), reversed(b)) })
	at := len(owners) - 1
	for i, o := range owners {
		if reversed(o) <= reversed(name) {
			at = i
		}
	}
	types := append(z.types(owners[at]), dns.TypeNSEC)
	if !slices.Contains(types, dns.TypeRRSIG) {
		types = append(types, dns.TypeRRSIG)
	}
	slices.Sort(types)
	rr := &dns.NSEC{Hdr: dns.RR_Header{Name: owners[at], Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: ttl},
		NextDomain: owners[(at+1)%len(owners)], TypeBitMap: types}
	return z.signed([]dns.RR{rr}, rr.Hdr.Name)
}

func (z *authZone) nsec3Record(name string, ttl uint32) []dns.RR {
	const salt = "ab"
	hash := func(n string) string { return dns.HashName(n, dns.SHA1, z.iterations, salt) }
	byHash := map[string]string{}
	for _, o := range z.owners(true) {
		if z.optOut && z.cut(o) == o && len(z.rrset(o, dns.TypeDS)) == 0 {
			continue
		}
		byHash[hash(o)] = o
	}
	hashes := slices.Sorted(maps.Keys(byHash))
	at := len(hashes) - 1
	for i, h := range hashes {
		if h <= hash(name) {
			at = i
		}
	}
	next := hashes[(at+1)%len(hashes)]
	raw, _ := base32.HexEncoding.DecodeString(next)
	var flags uint8
	if z.optOut {
		flags = 1
	}
	rr := &dns.NSEC3{Hdr: dns.RR_Header{Name: strings.ToLower(hashes[at]) + "." + strings.TrimPrefix(z.name, "."), Rrtype: dns.TypeNSEC3, Class: dns.ClassINET, Ttl: ttl},
		Hash: dns.SHA1, Flags: flags, Iterations: z.iterations, SaltLength: 1, Salt: salt, HashLength: uint8(len(raw)), NextDomain: next, TypeBitMap: z.types(byHash[hashes[at]])}
	return z.signed([]dns.RR{rr}, rr.Hdr.Name)
}
