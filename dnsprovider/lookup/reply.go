package lookup

import (
	"fmt"

	"github.com/miekg/dns"
)

// authoritative reports why a server does not speak with authority: the answers
// that are believed have AA=1 and RCODE NOERROR or NXDOMAIN.
func authoritative(m *dns.Msg) error {
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
	case dns.RcodeRefused, dns.RcodeNotAuth:
		return &problem{FaultLame, fmt.Sprintf("%s%s: it does not serve the zone (hint: take it out of the NS set, configure the zone there, or exclude it)", rcodeName(m.Rcode), extended(m))}
	case dns.RcodeFormatError, dns.RcodeNotImplemented, dns.RcodeBadVers:
		return &problem{FaultServerFailure, fmt.Sprintf("%s%s: it seems not to understand EDNS, without which there is no DNSSEC", rcodeName(m.Rcode), extended(m))}
	default:
		return &problem{FaultServerFailure, rcodeName(m.Rcode) + extended(m)}
	}
	if !m.Authoritative {
		return &problem{FaultLame, "an answer without authority (AA=0): it does not serve the zone (hint: take it out of the NS set, configure the zone there, or exclude it)"}
	}
	return nil
}

// referral returns the cut strictly below zone that m refers name to.
func referral(m *dns.Msg, zone, name string) (cut string, ok bool) {
	if m.Authoritative || m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 {
		return "", false
	}
	for _, s := range rrsets(lowered(m.Ns)) {
		if s.rtype == dns.TypeNS && below(s.name, zone) && dns.IsSubDomain(s.name, name) {
			return s.name, true
		}
	}
	return "", false
}

// deeper returns the zone strictly below zone that an answer about name comes from,
// by its signer or the owner of its SOA: the server holds a cut that we did not know.
func deeper(m *dns.Msg, zone, name string) (cut string, ok bool) {
	candidate := func(z string) bool { return below(z, zone) && dns.IsSubDomain(z, name) }
	for _, rr := range lowered(m.Answer) {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.Hdr.Name == name {
			if signer := dns.CanonicalName(sig.SignerName); candidate(signer) {
				return signer, true
			}
		}
	}
	for _, rr := range lowered(m.Ns) {
		if soa, ok := rr.(*dns.SOA); ok && len(m.Answer) == 0 && candidate(soa.Hdr.Name) {
			return soa.Hdr.Name, true
		}
	}
	return "", false
}
