package audit

import (
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
	out := strings.Join(k.outcomes(), "; ")
	if s.failures(s.records, s.ref) > 0 {
		return "what is presented now does not match everywhere; of the next certificate: " + out
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
	ahead  string // how long before the server presents it a record has to be there
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
	k.keys, k.cas, k.ahead = shortenAll(keys), shortenAll(cas), "two TTLs ahead"
	if ttl := s.records.TTL; ttl > 0 {
		k.ahead = seconds(2*ttl) + " ahead" // RFC 7671, section 8.1
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

// outcomes are what becomes of the three kinds of certificates that may come next.
func (k kept) outcomes() []string {
	same := "the same key passes"
	if !k.key && !k.issuer {
		same = "the same key breaks mail, as no record is of it alone, unless the record of the new certificate is published " + k.ahead
	}
	published := "its record is published " + k.ahead
	spare := published
	if k.keys != "" {
		spare = "it is that of " + k.keys + ", or " + published
	}
	if !k.issuer && k.cas == "" {
		return []string{same, "a new key, whoever issues it, breaks mail unless " + spare}
	}
	issued := "a new key of the same issuer breaks mail unless " + spare
	if k.issuer {
		issued = "a new key of the same issuer passes"
	}
	if k.cas != "" {
		spare = "the issuer is that of " + k.cas + ", or " + spare
	}
	return []string{same, issued, "a new key of another issuer breaks mail unless " + spare}
}
