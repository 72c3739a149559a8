package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A keyring is a zone's DNSKEYs as far as they are vouched for.
type keyring struct {
	zone string
	keys []*dns.DNSKEY
}

// enter accepts a zone's DNSKEY RRset if it is signed by a key that one of the
// DS records names (RFC 4035, section 5.2).
func enter(zone string, m *dns.Msg, ds []*dns.DS, now time.Time) (keyring, error) {
	var all, named []*dns.DNSKEY
	for _, rr := range m.Answer {
		key, ok := rr.(*dns.DNSKEY)
		if !ok || key.Hdr.Name != zone {
			continue
		}
		all = append(all, key)
		if slices.ContainsFunc(ds, func(d *dns.DS) bool { return names(d, key) }) {
			named = append(named, key)
		}
	}
	if len(named) == 0 {
		return keyring{}, fmt.Errorf("zone %s: no DNSKEY that its parent vouches for", zone)
	}
	if err := (keyring{zone, named}).verify(m.Answer, now); err != nil {
		return keyring{}, err
	}
	return keyring{zone, all}, nil
}

func names(ds *dns.DS, key *dns.DNSKEY) bool {
	if ds.KeyTag != key.KeyTag() || ds.Algorithm != key.Algorithm {
		return false
	}
	own := key.ToDS(ds.DigestType)
	return own != nil && strings.EqualFold(own.Digest, ds.Digest)
}

// verify checks that every RRset of a section is signed by the zone (RFC 4035,
// section 5.3).
func (k keyring) verify(section []dns.RR, now time.Time) error {
	sets := map[question][]dns.RR{}
	sigs := map[question][]*dns.RRSIG{}
	for _, rr := range section {
		h := rr.Header()
		if sig, ok := rr.(*dns.RRSIG); ok {
			of := question{h.Name, sig.TypeCovered}
			sigs[of] = append(sigs[of], sig)
			continue
		}
		of := question{h.Name, h.Rrtype}
		sets[of] = append(sets[of], rr)
	}
	for of, set := range sets {
		if !slices.ContainsFunc(sigs[of], func(sig *dns.RRSIG) bool { return k.made(sig, set, now) }) {
			return fmt.Errorf("%s: no signature that verifies", of)
		}
	}
	return nil
}

// made reports whether a signature over a set is the zone's, and in date.
func (k keyring) made(sig *dns.RRSIG, set []dns.RR, now time.Time) bool {
	if sig.SignerName != k.zone || !dns.IsSubDomain(k.zone, sig.Hdr.Name) || !sig.ValidityPeriod(now) ||
		int(sig.Labels) != dns.CountLabel(sig.Hdr.Name) { // no wildcard is expanded here
		return false
	}
	return slices.ContainsFunc(k.keys, func(key *dns.DNSKEY) bool { return key.KeyTag() == sig.KeyTag && sig.Verify(key, set) == nil })
}

// believe says why a reply with authority is not to be believed: an answer with
// its signatures, a denial with its proof.
func (k keyring) believe(q question, m *dns.Msg, now time.Time) error {
	if err := k.verify(m.Answer, now); err != nil {
		return err
	}
	if slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return rr.Header().Name == q.name && rr.Header().Rrtype == q.rtype }) {
		return nil
	}
	if err := k.verify(m.Ns, now); err != nil {
		return err
	}
	d := denial{zone: k.zone}
	for _, rr := range m.Ns {
		if nsec, ok := rr.(*dns.NSEC); ok {
			d.nsec = append(d.nsec, nsec)
		}
	}
	if m.Rcode == dns.RcodeNameError {
		return d.nameError(q.name)
	}
	return d.noData(q.name, q.rtype)
}
