package lookup

import (
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A hostile zone can demand signature checks without end (CVE-2023-50387): so
// many keys of one tag are tried for a signature, so many signatures of an RRset.
const (
	maxKeys = 4
	maxSigs = 16
)

// A keyring is a zone's DNSKEYs as one server gives them.
type keyring struct {
	zone string
	keys []*dns.DNSKEY
	tags []string // of keys, sorted
	seal          // of the DNSKEY RRset
}

// supported are the algorithms that the library verifies.
func supported(algorithm uint8) bool {
	switch algorithm {
	case dns.RSASHA1, dns.RSASHA1NSEC3SHA1, dns.RSASHA256, dns.RSASHA512, dns.ECDSAP256SHA256, dns.ECDSAP384SHA384, dns.ED25519:
		return true
	}
	return false
}

// verify checks the signatures over s at the time now (RFC 4035, section 5.3). One
// that verifies is enough (RFC 6840, section 5.11); seal.until is, of each
// algorithm that verifies, the last signature's end, and the first of those.
// Its errors are a *problem.
func (k keyring) verify(s rrset, now time.Time) (seal, error) {
	what := s.name + " " + typeName(s.rtype)
	if len(s.sigs) == 0 {
		return seal{}, &problem{FaultUnsigned, fmt.Sprintf("no RRSIG over %s", what)}
	}
	good, untested := map[uint8]seal{}, map[uint8]seal{}
	labels := map[Proof]int{} // by what the signature that says so is worth
	var worst *problem
	for _, sig := range s.sigs[:min(len(s.sigs), maxSigs)] {
		err := k.usable(sig, s.name, now)
		if err == nil {
			err = k.check(sig, s.rrs)
		}
		if err != nil {
			worst = telling(worst, &problem{err.fault, what + ": " + err.text})
			continue
		}
		proof, ends := Verified, good
		if !supported(sig.Algorithm) {
			proof, ends = ByResolver, untested
		}
		if until := near(sig.Expiration, now); until.After(ends[sig.Algorithm].until) {
			ends[sig.Algorithm] = seal{until: until, lasts: until.Sub(near(sig.Inception, now))}
		}
		labels[proof] = int(sig.Labels)
	}
	switch {
	case len(good) > 0:
		return first(good).of(Verified, labels[Verified]), nil
	case len(untested) > 0:
		return first(untested).of(ByResolver, labels[ByResolver]), nil
	}
	return seal{}, worst
}

// usable checks what a signature says of itself.
func (k keyring) usable(sig *dns.RRSIG, name string, now time.Time) *problem {
	switch {
	case dns.CanonicalName(sig.SignerName) != k.zone:
		return &problem{FaultBadSignature, fmt.Sprintf("signed by %s, not by the zone %s", printable(strings.ToLower(sig.SignerName)), k.zone)}
	case int(sig.Labels) > labelCount(name):
		return &problem{FaultBadSignature, "its RRSIG has more labels than the name"}
	case near(sig.Expiration, now).Before(now):
		return &problem{FaultExpired, fmt.Sprintf("signature expired %s", near(sig.Expiration, now).Format(time.RFC3339))}
	case near(sig.Inception, now).After(now):
		return &problem{FaultEarly, fmt.Sprintf("signature not valid before %s (hint: is the signer's clock right, and this host's?)", near(sig.Inception, now).Format(time.RFC3339))}
	}
	return nil
}

// check verifies sig over rrs with the keys it may be made with. Where the library
// lacks the algorithm, there must at least be such a key.
func (k keyring) check(sig *dns.RRSIG, rrs []dns.RR) *problem {
	tried := 0
	for _, key := range k.keys {
		if key.Algorithm != sig.Algorithm || key.Flags&dns.REVOKE != 0 || key.KeyTag() != sig.KeyTag {
			continue
		}
		if tried++; tried > maxKeys {
			break
		}
		if !supported(sig.Algorithm) || sig.Verify(key, rrs) == nil {
			return nil
		}
	}
	if tried == 0 {
		return &problem{FaultBadSignature, fmt.Sprintf("signed with key %d (%s), which is not among the zone's DNSKEYs at this server", sig.KeyTag, algorithmName(sig.Algorithm))}
	}
	return &problem{FaultBadSignature, fmt.Sprintf("the signature with key %d (%s) does not fit the records", sig.KeyTag, algorithmName(sig.Algorithm))}
}

// telling keeps the problem that says most: a time before a signature that does
// not fit, that before one of someone else.
func telling(a, b *problem) *problem {
	if a == nil || (a.fault == FaultBadSignature && b.fault != FaultBadSignature) {
		return b
	}
	return a
}

// near reads a 32-bit time as the one nearest to now (RFC 4034, section 3.1.5).
func near(t uint32, now time.Time) time.Time {
	unix := now.Unix()
	return time.Unix(unix+int64(int32(t-uint32(unix))), 0).UTC()
}

// first is the seal that ends first.
func first(seals map[uint8]seal) (out seal) {
	for _, s := range seals {
		out = out.with(s)
	}
	return out
}

// labelCount is the RRSIG Labels field of a name: without root and without a
// leading asterisk (RFC 4034, section 3.1.3).
func labelCount(name string) int {
	n := dns.CountLabel(name)
	if strings.HasPrefix(name, "*.") {
		n--
	}
	return n
}

func algorithmName(a uint8) string {
	if s, ok := dns.AlgorithmToString[a]; ok {
		return s
	}
	return fmt.Sprintf("algorithm %d", a)
}
