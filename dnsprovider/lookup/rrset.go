package lookup

import (
	"slices"
	"time"

	"github.com/miekg/dns"
)

// An rrset is the records of one name and type of one section, and the
// signatures over them.
type rrset struct {
	name  string
	rtype uint16
	rrs   []dns.RR
	sigs  []*dns.RRSIG
}

// lowered returns the records of class IN with their owner names in lower case,
// which is how they are compared and signed (RFC 4034, section 6.2).
func lowered(section []dns.RR) []dns.RR {
	out := make([]dns.RR, 0, len(section))
	for _, rr := range section {
		h := rr.Header()
		if h.Class != dns.ClassINET || h.Rrtype == dns.TypeOPT {
			continue
		}
		if name := dns.CanonicalName(h.Name); name != h.Name {
			rr = dns.Copy(rr)
			rr.Header().Name = name
		}
		out = append(out, rr)
	}
	return out
}

// rrsets sorts lowered records into RRsets, in order of appearance. Signatures
// over nothing and duplicates (RFC 2181, section 5) are left out.
func rrsets(section []dns.RR) []rrset {
	type key struct {
		name  string
		rtype uint16
	}
	var out []rrset
	index := map[key]int{}
	for _, rr := range section {
		h := rr.Header()
		if h.Rrtype == dns.TypeRRSIG {
			continue
		}
		k := key{h.Name, h.Rrtype}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, rrset{name: h.Name, rtype: h.Rrtype})
		}
		if !slices.ContainsFunc(out[i].rrs, func(x dns.RR) bool { return dns.IsDuplicate(x, rr) && x.Header().Ttl == h.Ttl }) {
			out[i].rrs = append(out[i].rrs, rr)
		}
	}
	for _, rr := range section {
		if sig, ok := rr.(*dns.RRSIG); ok {
			if i, ok := index[key{sig.Hdr.Name, sig.TypeCovered}]; ok {
				out[i].sigs = append(out[i].sigs, sig)
			}
		}
	}
	return out
}

func find(sets []rrset, name string, rtype uint16) (rrset, bool) {
	for _, s := range sets {
		if s.name == name && s.rtype == rtype {
			return s, true
		}
	}
	return rrset{}, false
}

// ttl reads a TTL field; one with the highest bit set is zero (RFC 2181, section 8).
func ttl(seconds uint32) time.Duration {
	if seconds > 1<<31-1 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// longest is how long a cache may keep s: the largest of the RRset's TTL, the
// signatures' TTL and their original TTL (RFC 4035, section 5.3.3, takes the
// smallest; a cache that does not validate need not).
func (s rrset) longest() time.Duration {
	var d time.Duration
	for _, rr := range s.rrs {
		d = max(d, ttl(rr.Header().Ttl))
	}
	for _, sig := range s.sigs {
		d = max(d, ttl(sig.Hdr.Ttl), ttl(sig.OrigTtl))
	}
	return d
}

// mixed returns the smallest and the largest TTL of the records.
func (s rrset) mixed() (least, most time.Duration) {
	for i, rr := range s.rrs {
		t := ttl(rr.Header().Ttl)
		if i == 0 {
			least, most = t, t
		}
		least, most = min(least, t), max(most, t)
	}
	return least, most
}
