package demo

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A zone is a signed zone as one server has it. It answers as RFC 1034, section
// 4.3.2 and RFC 4035, section 3.1 say, without aliases and wildcards, which the
// demo's world has not.
type zone struct {
	key     *zoneKey
	records func() []dns.RR // at this moment, in lower case, without keys and signatures
}

// contents are the records of a zone at one moment.
type contents struct {
	key    *zoneKey
	sets   map[string]map[uint16][]dns.RR
	cuts   map[string]bool // delegations
	owners []string        // of records with authority, in canonical order
}

func (z *zone) contents() contents {
	c := contents{key: z.key, sets: map[string]map[uint16][]dns.RR{}, cuts: map[string]bool{}}
	for _, rr := range append(z.records(), z.key.public) {
		h := rr.Header()
		if c.sets[h.Name] == nil {
			c.sets[h.Name] = map[uint16][]dns.RR{}
		}
		c.sets[h.Name][h.Rrtype] = append(c.sets[h.Name][h.Rrtype], rr)
		if h.Rrtype == dns.TypeNS && h.Name != z.key.zone {
			c.cuts[h.Name] = true
		}
	}
	for name := range c.sets {
		if cut := c.cut(name); cut == "" || cut == name {
			c.owners = append(c.owners, name)
		}
	}
	slices.SortFunc(c.owners, compareNames)
	return c
}

// answer answers a question from the zone.
func (z *zone) answer(m *dns.Msg) (*dns.Msg, error) {
	q := m.Question[0]
	name := dns.CanonicalName(q.Name)
	r := new(dns.Msg).SetReply(m)
	if !dns.IsSubDomain(z.key.zone, name) {
		r.Rcode = dns.RcodeRefused
		return r, nil
	}
	c := z.contents()
	cut := c.cut(name)
	if cut != "" && (cut != name || q.Qtype != dns.TypeDS) {
		return r, c.refer(r, cut)
	}
	r.Authoritative = true
	if set := c.sets[name][q.Qtype]; len(set) > 0 {
		var err error
		r.Answer, err = c.key.signed(set)
		return r, err
	}
	return r, c.deny(r, name)
}

// refer names the servers of a delegation and the key that they sign with.
func (c contents) refer(r *dns.Msg, cut string) error {
	ds, err := c.key.signed(c.sets[cut][dns.TypeDS])
	if err != nil {
		return err
	}
	servers := c.sets[cut][dns.TypeNS]
	r.Ns = slices.Concat(servers, ds)
	for _, rr := range servers {
		r.Extra = append(r.Extra, c.sets[rr.(*dns.NS).Ns][dns.TypeA]...)
	}
	return nil
}

// deny says, with proof, that name has no such records or does not exist.
func (c contents) deny(r *dns.Msg, name string) error {
	proofs := []string{name}
	if !c.exists(name) {
		r.Rcode = dns.RcodeNameError
		encloser := up(name)
		for !c.exists(encloser) {
			encloser = up(encloser)
		}
		proofs = append(proofs, wildcardAt(encloser))
	}
	sets := [][]dns.RR{c.sets[c.key.zone][dns.TypeSOA]}
	for _, name := range proofs {
		nsec := c.nsec(name)
		if !slices.ContainsFunc(sets, func(set []dns.RR) bool { return dns.IsDuplicate(set[0], nsec) }) {
			sets = append(sets, []dns.RR{nsec})
		}
	}
	for _, set := range sets {
		signed, err := c.key.signed(set)
		if err != nil {
			return err
		}
		r.Ns = append(r.Ns, signed...)
	}
	return nil
}

// nsec is the record at or over name (RFC 4034, section 4).
func (c contents) nsec(name string) *dns.NSEC {
	at := len(c.owners) - 1
	for i, owner := range c.owners {
		if compareNames(owner, name) <= 0 {
			at = i
		}
	}
	owner := c.owners[at]
	types := []uint16{dns.TypeNSEC, dns.TypeRRSIG}
	for t := range c.sets[owner] {
		if !c.cuts[owner] || t == dns.TypeNS || t == dns.TypeDS {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	ttl := lowest(c.sets[c.key.zone][dns.TypeSOA])
	return &dns.NSEC{Hdr: header(owner, dns.TypeNSEC, ttl), NextDomain: c.owners[(at+1)%len(c.owners)], TypeBitMap: types}
}

// exists reports whether name owns something or has something below it.
func (c contents) exists(name string) bool {
	return slices.ContainsFunc(c.owners, func(owner string) bool { return dns.IsSubDomain(name, owner) })
}

// cut is the delegation at or above name, "" for none.
func (c contents) cut(name string) string {
	for ; name != c.key.zone; name = up(name) {
		if c.cuts[name] {
			return name
		}
	}
	return ""
}

// up is name without its first label.
func up(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

func wildcardAt(encloser string) string { return "*." + strings.TrimPrefix(encloser, ".") }

// compareNames is the canonical order (RFC 4034, section 6.1) of names in lower
// case without escapes, which are all that the demo has.
func compareNames(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}
