package lookup_test

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// answer answers m from the deepest zone that the server holds.
func (s *authServer) answer(m *dns.Msg) *dns.Msg {
	q := m.Question[0]
	name := strings.ToLower(q.Name)
	if z := deepest(s.zones, name, q.Qtype); z != nil {
		return z.answer(m)
	}
	r := new(dns.Msg).SetRcode(m, dns.RcodeRefused)
	r.RecursionAvailable = false
	return r
}

func deepest(zones map[string]*authZone, name string, qtype uint16) *authZone {
	var best *authZone
	for _, z := range zones {
		if !dns.IsSubDomain(z.name, name) || (qtype == dns.TypeDS && z.name == name && name != ".") {
			continue
		}
		if best == nil || dns.CountLabel(z.name) > dns.CountLabel(best.name) {
			best = z
		}
	}
	return best
}

// answer is RFC 1034, section 4.3.2, with RFC 4035, section 3.1.
func (z *authZone) answer(m *dns.Msg) *dns.Msg {
	q := m.Question[0]
	r := new(dns.Msg).SetReply(m)
	r.Authoritative = true
	if opt := m.IsEdns0(); opt != nil {
		r.SetEdns0(1232, opt.Do())
	}
	name := strings.ToLower(q.Name)
	if cut := z.cut(name); cut != "" && (cut != name || q.Qtype != dns.TypeDS) {
		z.refer(r, cut)
	} else {
		z.fill(r, name, q.Qtype, 0)
	}
	if z.omit != nil {
		r.Answer = slices.DeleteFunc(r.Answer, z.omit)
		r.Ns = slices.DeleteFunc(r.Ns, z.omit)
	}
	return r
}

func (z *authZone) refer(r *dns.Msg, cut string) {
	r.Authoritative = false
	set := z.rrset(cut, dns.TypeNS)
	r.Ns = append(r.Ns, set...)
	r.Ns = append(r.Ns, z.signed(z.rrset(cut, dns.TypeDS), cut)...)
	for _, rr := range set {
		for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
			r.Extra = append(r.Extra, z.rrset(rr.(*dns.NS).Ns, t)...)
		}
	}
}

func (z *authZone) fill(r *dns.Msg, name string, t uint16, depth int) {
	if depth > 10 || !dns.IsSubDomain(z.name, name) {
		return
	}
	for d := name; d != z.name; {
		d = up(d)
		if set := z.rrset(d, dns.TypeDNAME); len(set) > 0 {
			target := strings.TrimSuffix(name, d) + set[0].(*dns.DNAME).Target
			r.Answer = append(r.Answer, z.signed(set, d)...)
			r.Answer = append(r.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: set[0].Header().Ttl}, Target: target})
			z.fill(r, target, t, depth+1)
			return
		}
	}
	if z.exists(name) {
		z.positive(r, name, name, t, depth)
		return
	}
	encloser, next := up(name), name
	for !z.exists(encloser) {
		encloser, next = up(encloser), encloser
	}
	star := "*." + strings.TrimPrefix(encloser, ".")
	if !z.exists(star) {
		r.Rcode = dns.RcodeNameError
		z.deny(r)
		z.proveMissing(r, name, encloser, next, star)
		return
	}
	before := len(r.Ns)
	z.positive(r, star, name, t, depth)
	if len(r.Ns) > before { // NODATA at the wildcard
		z.proveMissing(r, name, encloser, next, star)
		return
	}
	if z.nsec3 {
		z.prove(r, next)
	} else {
		z.prove(r, name)
	}
}

// proveMissing adds the proofs, and no more, that name does not exist and what is
// at or over the wildcard.
func (z *authZone) proveMissing(r *dns.Msg, name, encloser, next, star string) {
	if z.nsec3 {
		z.prove(r, encloser, next, star)
	} else {
		z.prove(r, name, star)
	}
}

// positive answers from the records at from, under the name asked.
func (z *authZone) positive(r *dns.Msg, from, name string, t uint16, depth int) {
	if set := z.rrset(from, t); len(set) > 0 {
		r.Answer = append(r.Answer, z.signed(set, name)...)
		return
	}
	if set := z.rrset(from, dns.TypeCNAME); len(set) > 0 {
		r.Answer = append(r.Answer, z.signed(set, name)...)
		z.fill(r, set[0].(*dns.CNAME).Target, t, depth+1)
		return
	}
	z.deny(r, from)
}

// deny adds the SOA and the proof about names.
func (z *authZone) deny(r *dns.Msg, names ...string) {
	r.Ns = append(r.Ns, z.signed(z.rrset(z.name, dns.TypeSOA), z.name)...)
	z.prove(r, names...)
}

func (z *authZone) prove(r *dns.Msg, names ...string) {
	for _, n := range names {
		for _, rr := range z.denialRecord(n) {
			if !slices.ContainsFunc(r.Ns, func(x dns.RR) bool { return x.String() == rr.String() || sameDenial(x, rr) }) {
				r.Ns = append(r.Ns, rr)
			}
		}
	}
}

// sameDenial reports whether two RRSIGs cover the same NSEC or NSEC3 (ECDSA
// signatures of the same data differ).
func sameDenial(a, b dns.RR) bool {
	x, ok := a.(*dns.RRSIG)
	y, ok2 := b.(*dns.RRSIG)
	return ok && ok2 && x.Hdr.Name == y.Hdr.Name && x.TypeCovered == y.TypeCovered
}
