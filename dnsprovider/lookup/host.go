package lookup

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A HostView is where a host is reached, and how far that can be trusted.
type HostView struct {
	Host string // asked, in the form of [tlsa.CanonicalHost]
	// Target is the fully expanded name, Host itself where it is no alias. If
	// every step is secure, it is the first TLSA base domain and Host the second
	// (RFC 7672, section 2.2.2).
	Target  string
	Aliases []Alias // each with the security of that step and all before it

	IPv4, IPv6 AddressSet
	// Security is the worse of the two sets'.
	Security     Security
	SecurityText string
	Err          string // no domain name, or an alias that leads nowhere
}

// An AddressSet is the A or AAAA records of a host.
type AddressSet struct {
	Addresses []netip.Addr // sorted
	// TTL is the longest seen: in a signed zone that of the zone, for signatures
	// carry it; else what is left of it at the resolver. Of a denial, likewise.
	TTL          time.Duration
	Security     Security
	SecurityText string
	Err          string // unknown; no addresses and no Err: there are none
}

// Addresses are all addresses of the host, IPv4 first.
func (v HostView) Addresses() []netip.Addr {
	return slices.Concat(v.IPv4.Addresses, v.IPv6.Addresses)
}

// Candidates are the TLSA base domains that a DANE client tries in turn: the
// expanded name if every step up to the addresses is secure, then the host
// itself, unless its own answer is insecure (RFC 7672, section 2.2.2). None: DANE
// does not apply, or the lookup failed; Security says which.
func (v HostView) Candidates() []string {
	if v.Err != "" || v.Security == Bogus || v.Security == Indeterminate {
		return nil
	}
	switch {
	case len(v.Aliases) == 0 && v.Security == Secure:
		return []string{v.Host}
	case len(v.Aliases) == 0:
		return nil
	case v.Security == Secure:
		return []string{v.Target, v.Host}
	case v.Aliases[0].Security == Secure:
		return []string{v.Host}
	}
	return nil
}

// Host looks up the addresses of a host through the validating resolver.
func (p *Pass) Host(ctx context.Context, host string) HostView {
	name, err := tlsa.CanonicalHost(host)
	if err != nil {
		return HostView{Host: host, Target: host, Security: Indeterminate, SecurityText: err.Error(), Err: err.Error()}
	}
	v := HostView{Host: name, Target: name}
	answers := make([]Answer, 2)
	each([]uint16{dns.TypeA, dns.TypeAAAA}, func(i int, t uint16) { answers[i] = p.Ask(ctx, name+".", t) })
	v.IPv4, v.IPv6 = addressSet(answers[0]), addressSet(answers[1])
	v.Security, v.SecurityText = v.IPv4.Security, v.IPv4.SecurityText
	if v.IPv6.Security.worse(v.Security) {
		v.Security, v.SecurityText = v.IPv6.Security, v.IPv6.SecurityText
	}
	for _, a := range answers {
		steps, end, err := chase(a.Records, name+".")
		if err != nil {
			v.Err = err.Error()
		}
		if len(steps) > len(v.Aliases) {
			v.Aliases, v.Target = steps, end[:len(end)-1]
		}
	}
	p.secureSteps(ctx, &v)
	return v
}

func addressSet(a Answer) AddressSet {
	set := AddressSet{Security: a.Security, SecurityText: a.Text, Err: a.Err, TTL: a.NegativeTTL}
	for _, s := range rrsets(a.Records) {
		for _, rr := range s.rrs {
			addr, ok := addressOf(rr)
			if !ok {
				continue
			}
			if len(set.Addresses) == 0 {
				set.TTL = 0
			}
			set.Addresses = append(set.Addresses, addr)
			set.TTL = max(set.TTL, s.longest())
		}
	}
	slices.SortFunc(set.Addresses, netip.Addr.Compare)
	set.Addresses = slices.Compact(set.Addresses)
	return set
}

// secureSteps finds out where on the way of aliases security ends. What comes
// after an insecure step is insecure too (RFC 7672, section 2.1.3).
func (p *Pass) secureSteps(ctx context.Context, v *HostView) {
	state := Secure
	for i := range v.Aliases {
		step := &v.Aliases[i]
		if v.Security != Secure && state == Secure {
			state = p.Ask(ctx, step.Owner, dns.TypeCNAME).Security
		}
		step.Security = state
	}
}
