package lab

import (
	"cmp"
	"crypto"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A signedZone is a static zone and the key that signs all of it. The lab signs
// its root and top-level zones by itself, so that the trust anchor is known
// before any server runs.
type signedZone struct {
	origin string
	key    *dns.DNSKEY
	signer crypto.Signer
}

const staticTTL = 300 // seconds, of what never changes while a lab runs

func newSignedZone(origin string) (*signedZone, error) {
	key := &dns.DNSKEY{
		Hdr:   header(origin, dns.TypeDNSKEY),
		Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	priv, err := key.Generate(256)
	if err != nil {
		return nil, fmt.Errorf("zone %s: key: %w", origin, err)
	}
	return &signedZone{origin, key, priv.(crypto.Signer)}, nil
}

func header(name string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: staticTTL}
}

// ds is what the parent, or the trust anchor, says of the zone.
func (z *signedZone) ds() *dns.DS { return z.key.ToDS(dns.SHA256) }

// sign returns the zone's records with signatures and the NSEC chain (RFC 4035,
// section 2). Records at or below a delegation are glue, except NS and DS.
func (z *signedZone) sign(rrs []dns.RR, v validity) ([]dns.RR, error) {
	rrs = append(rrs, z.key)
	cuts := map[string]bool{}
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeNS && rr.Header().Name != z.origin {
			cuts[rr.Header().Name] = true
		}
	}
	sets := map[string]map[uint16][]dns.RR{} // of names that NSEC records speak of
	for _, rr := range rrs {
		name, rrtype := rr.Header().Name, rr.Header().Rrtype
		cut := cutOf(name, cuts)
		if cut != "" && (cut != name || rrtype != dns.TypeNS && rrtype != dns.TypeDS) {
			continue
		}
		if sets[name] == nil {
			sets[name] = map[uint16][]dns.RR{}
		}
		sets[name][rrtype] = append(sets[name][rrtype], rr)
	}
	out := rrs
	for _, nsec := range z.chain(sets) {
		sets[nsec.Hdr.Name][dns.TypeNSEC] = []dns.RR{nsec}
		out = append(out, nsec)
	}
	for name, types := range sets {
		for rrtype, set := range types {
			if rrtype == dns.TypeNS && cuts[name] {
				continue
			}
			sig, err := z.signature(set, v)
			if err != nil {
				return nil, err
			}
			out = append(out, sig)
		}
	}
	return out, nil
}

// validity is from when until when signatures are good.
type validity struct{ begins, ends time.Time }

// validFor is a validity that began a while ago; it may be over.
func validFor(d time.Duration) validity {
	ends := time.Now().Add(d)
	return validity{ends.Add(-d.Abs() - time.Hour), ends}
}

// signatureLife is how long the lab's own signatures are good.
const signatureLife = 7 * 24 * time.Hour

// signature is that of one RRset.
func (z *signedZone) signature(set []dns.RR, v validity) (*dns.RRSIG, error) {
	name, rrtype := set[0].Header().Name, set[0].Header().Rrtype
	sig := &dns.RRSIG{
		Hdr:        header(name, dns.TypeRRSIG),
		Algorithm:  z.key.Algorithm,
		KeyTag:     z.key.KeyTag(),
		SignerName: z.origin,
		Inception:  uint32(v.begins.Unix()),
		Expiration: uint32(v.ends.Unix()),
	}
	if err := sig.Sign(z.signer, set); err != nil {
		return nil, fmt.Errorf("zone %s: sign %s %s: %w", z.origin, name, dns.TypeToString[rrtype], err)
	}
	return sig, nil
}

// chain links the names in canonical order (RFC 4034, section 6.1).
func (z *signedZone) chain(sets map[string]map[uint16][]dns.RR) []*dns.NSEC {
	var names []string
	for name := range sets {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(reversed(a), reversed(b)) })
	var chain []*dns.NSEC
	for i, name := range names {
		types := []uint16{dns.TypeNSEC, dns.TypeRRSIG}
		for rrtype := range sets[name] {
			types = append(types, rrtype)
		}
		slices.Sort(types)
		chain = append(chain, &dns.NSEC{
			Hdr:        header(name, dns.TypeNSEC),
			NextDomain: names[(i+1)%len(names)],
			TypeBitMap: types,
		})
	}
	return chain
}

// cutOf returns the delegation at or above name, "" where there is none.
func cutOf(name string, cuts map[string]bool) string {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if cuts[name[off:]] {
			return name[off:]
		}
	}
	return ""
}

// reversed makes names sort by their last label first; the lab's names have
// only letters, digits and hyphens, all above the separator.
func reversed(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}

func zoneText(rrs []dns.RR) []byte {
	var b strings.Builder
	for _, rr := range rrs {
		b.WriteString(rr.String())
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
