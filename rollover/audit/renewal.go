package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// renewalOf says what the next certificate of a host will meet, by the records that stand:
// one of the key in use, one of a new key, and one of another CA's certificate.
func renewalOf(h Host, at time.Time) string {
	s := newScene(h, at)
	switch {
	case s.base == nil:
		return s.withoutRecords()
	case len(s.records.Combinations(s.ref)) == 0:
		return "any certificate passes, as no sender can use the records"
	case len(s.shown) == 0:
		return "not known: no certificate was presented"
	}
	k := s.kept()
	parts := []string{
		outcome("the same key", k.key || k.issuer, "its record has another part in it, so that mail breaks unless the record of the new certificate is published first"),
		k.newKey(),
		k.newIssuer(),
	}
	out := strings.Join(parts, "; ")
	if s.failures(s.records, s.ref) > 0 {
		out = "what is presented now does not match everywhere; of the next certificate: " + out
	}
	if k.lead != "" && strings.Contains(out, "first") {
		out += "; first means " + k.lead + " before"
	}
	return out
}

// commonRenewal is the sentence that holds for all hosts; "" where each has its own.
func commonRenewal(hosts []HostReport) string {
	if len(hosts) == 0 || slices.ContainsFunc(hosts, func(h HostReport) bool { return h.Renewal != hosts[0].Renewal }) {
		return ""
	}
	return hosts[0].Renewal
}

func (s *scene) withoutRecords() string {
	if c := claimOf(s.Host, s.at); c.demand == demandNever || c.demand == demandUnknown {
		return "not known: " + c.why
	}
	return "any certificate passes, as no TLSA records count"
}

// kept is what the records keep through a renewal.
type kept struct {
	key    bool   // the key in use, in whatever certificate
	issuer bool   // the CA certificate above, of whatever key below
	keys   string // of keys that are not in use
	cas    string // of CA certificates that are not
	lead   string // how long before the server presents it a record has to be there
}

func (s *scene) kept() (k kept) {
	var keys, cas []tlsa.Association
	for _, a := range s.records.Associations {
		matches := s.matches(a)
		switch {
		case !s.usable(a) || s.outclassed(a) || s.mistakeIn(a).code != "" || s.retired(a):
		case a.Usage == tlsa.DANEEE || a.Usage == tlsa.PKIXEE:
			if matches && a.Selector == tlsa.SPKI {
				k.key = true
			}
			if !matches && a.Selector == tlsa.SPKI {
				keys = append(keys, a)
			}
		case matches:
			k.issuer = true
		default:
			cas = append(cas, a)
		}
	}
	k.keys, k.cas = shortenAll(keys), shortenAll(cas)
	if ttl := s.records.TTL; ttl > 0 {
		k.lead = seconds(2 * ttl) // RFC 7671, section 8.1
	}
	return k
}

// outclassed reports whether senders pass over a record for a stronger digest.
func (s *scene) outclassed(a tlsa.Association) bool {
	stronger := s.with(func(b tlsa.Association) bool {
		return b.Usage == a.Usage && b.Selector == a.Selector && a.Matching == tlsa.SHA256 && b.Matching == tlsa.SHA512 && s.usable(b)
	})
	return len(stronger) > 0
}

func outcome(what string, passes bool, otherwise string) string {
	if passes {
		return what + " passes"
	}
	return what + ": " + otherwise
}

func (k kept) newKey() string {
	breaks := "mail breaks unless its record is published first"
	if k.keys != "" {
		breaks = fmt.Sprintf("mail breaks unless it is that of %s, or its record is published first", k.keys)
	}
	return outcome("a new key of the same issuer", k.issuer, breaks)
}

func (k kept) newIssuer() string {
	var but []string
	if k.keys != "" {
		but = append(but, "the key is that of "+k.keys)
	}
	if k.cas != "" {
		but = append(but, "the issuer is that of "+k.cas)
	}
	but = append(but, "a record is published first")
	return "a new key of another issuer: mail breaks unless " + strings.Join(but, ", or ")
}
