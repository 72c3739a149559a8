package lookup_test

import (
	"strings"

	"github.com/miekg/dns"
)

// A fakeResolver answers from the zones as they should be, and knows which of them
// are secure from their keys and DS records.
type fakeResolver struct {
	world     *world
	validates bool
	override  func(q *dns.Msg) *dns.Msg // nil reply: as usual
	silent    func(q *dns.Msg) bool
}

func (f *fakeResolver) answer(m *dns.Msg) (*dns.Msg, error) {
	if f.silent != nil && f.silent(m) {
		return nil, errSilent
	}
	if f.override != nil {
		if r := f.override(m); r != nil {
			return r, nil
		}
	}
	r := new(dns.Msg).SetReply(m)
	r.RecursionAvailable = true
	r.SetEdns0(1232, true)
	name, secure, bogus := strings.ToLower(m.Question[0].Name), true, false
	for range 12 {
		z := deepest(f.world.zones, name, m.Question[0].Qtype)
		q := m.Copy()
		q.Question[0].Name = name
		part := z.answer(q)
		r.Answer = append(r.Answer, part.Answer...)
		r.Ns, r.Rcode = part.Ns, part.Rcode
		if part.Authoritative == false {
			r.Rcode = dns.RcodeServerFailure // a delegation into nowhere
		}
		secure = secure && f.secure(z) && !optedOut(part)
		bogus = bogus || (f.secure(z) && z.bogus())
		// What the zone itself appended of a chain within it is followed again, from the last alias.
		next := name
		for _, rr := range part.Answer {
			if c, ok := rr.(*dns.CNAME); ok && c.Hdr.Name == next && m.Question[0].Qtype != dns.TypeCNAME {
				next = c.Target
			}
		}
		if next == name || dns.IsSubDomain(z.name, next) {
			break
		}
		name = next
	}
	if bogus && f.validates && !m.CheckingDisabled {
		out := new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
		out.SetEdns0(1232, true)
		out.IsEdns0().Option = append(out.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired})
		return out, nil
	}
	r.AuthenticatedData = secure && f.validates && !bogus
	return r, nil
}

// secure reports whether DS records lead from the root to the zone's key.
func (f *fakeResolver) secure(z *authZone) bool {
	if z.key == nil {
		return false
	}
	if z.name == "." {
		return true
	}
	above := f.world.above(z.name)
	for _, rr := range above.rrset(z.name, dns.TypeDS) {
		if rr.(*dns.DS).Digest == z.ds().Digest {
			return f.secure(above)
		}
	}
	return false
}

func (z *authZone) bogus() bool {
	return z.now.After(z.expiration) || z.now.Before(z.inception) || z.spoil != nil
}

func optedOut(m *dns.Msg) bool {
	if len(m.Answer) > 0 {
		return false
	}
	for _, rr := range m.Ns {
		if n, ok := rr.(*dns.NSEC3); ok && n.Flags == 1 && m.Rcode == dns.RcodeNameError {
			return true
		}
	}
	return false
}
