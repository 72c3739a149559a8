package audit

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellRecords tells of what the records say, whatever is presented; and of those that
// match nothing as they are of something else.
func (s *scene) tellRecords() {
	if s.base == nil {
		return
	}
	if len(s.records.Combinations(s.ref)) == 0 {
		s.tellUnusable()
	} else {
		s.tellPassedOver()
		s.tellFragile()
		s.tellMistaken()
		s.tellIssuers()
		s.tellSingle()
	}
	s.tellSize()
	s.tellTTL()
}

func (s *scene) usable(a tlsa.Association) bool { return a.Unusable(s.ref) == nil }

// with are the records of which something holds.
func (s *scene) with(holds func(tlsa.Association) bool) (out []tlsa.Association) {
	for _, a := range s.records.Associations {
		if holds(a) {
			out = append(out, a)
		}
	}
	return out
}

func (s *scene) owner() string { return s.base.Owner.String() }

func (s *scene) tellUnusable() {
	var why []string
	for _, a := range s.records.Associations {
		why = append(why, shorten(a)+": "+cause(a.Unusable(s.ref)))
	}
	then := "and authenticate nobody" // RFC 7672, section 2.2
	if !s.SMTP {
		then = "and judge the certificate as if there were none" // RFC 7673, section 4.1
	}
	s.tell(rollover.CodeRecordsUnusable, s.owner(), "%s: none of the records at %s can be used, so that %s insist on TLS %s: %s", s.Name, s.base.at(), s.who(), then, listed(why)).
		mendedBy("%s", s.publishing("Publish %s and take the others out.")).reportedAs(resultTLSAInvalid)
}

// passedOver is the code of a record that no client can use, "" of others.
func (s *scene) passedOver(a tlsa.Association) rollover.Code {
	switch {
	case s.usable(a):
		return ""
	case a.Undefined() != nil:
		return rollover.CodeRecordUnknown
	case a.Usage < tlsa.DANETA && s.SMTP:
		return rollover.CodeUsagePKIX
	case a.Matching == tlsa.Full:
		return rollover.CodeFullUnreadable
	}
	return rollover.CodeDigestLength
}

// tellPassedOver tells of records that no client can use, beside others that are of use.
func (s *scene) tellPassedOver() {
	for _, code := range []rollover.Code{rollover.CodeUsagePKIX, rollover.CodeDigestLength, rollover.CodeRecordUnknown, rollover.CodeFullUnreadable} {
		if found := s.with(func(a tlsa.Association) bool { return s.passedOver(a) == code }); len(found) > 0 {
			f := s.tell(code, s.owner(), "%s: %s pass over %s at %s: %s", s.Name, s.who(), shortenAll(found), s.base.at(), cause(found[0].Unusable(s.ref)))
			if right := s.rightLength(found[0]); right != "" {
				f.mendedBy("Publish it as %s, which it is the digest of, and take it out as it stands.", right)
			}
		}
	}
}

// rightLength gives the parameters as which a digest of the wrong length would match, for
// whoever mixed up the matching types; "" if there are none.
func (s *scene) rightLength(a tlsa.Association) string {
	for _, matching := range []tlsa.MatchingType{tlsa.SHA256, tlsa.SHA512} {
		b := a
		b.Matching = matching
		if s.passedOver(a) == rollover.CodeDigestLength && s.matches(b) {
			return b.Params.String()
		}
	}
	return ""
}

// tellFragile tells of records that are right, and will not be for long or for all.
func (s *scene) tellFragile() {
	full := s.with(func(a tlsa.Association) bool { return s.usable(a) && a.Matching == tlsa.Full })
	whole := func(usages ...tlsa.Usage) []tlsa.Association {
		return s.with(func(a tlsa.Association) bool {
			return s.usable(a) && a.Selector == tlsa.Cert && a.Matching != tlsa.Full && slices.Contains(usages, a.Usage) && (len(s.shown) == 0 || s.matches(a))
		})
	}
	if len(full) > 0 {
		s.tell(rollover.CodeMatchingFull, s.owner(), "%s: %s at %s %s more than a digest: %d octets", s.Name, shortenAll(full), s.base.at(), verb(len(full), "holds", "hold"), octets(full))
	}
	if ee := whole(tlsa.DANEEE, tlsa.PKIXEE); len(ee) > 0 {
		s.tell(rollover.CodeSelectorCert, s.owner(), "%s: %s at %s will not match the next certificate, even one of the same key", s.Name, shortenAll(ee), s.base.at())
	}
	if ta := whole(tlsa.DANETA, tlsa.PKIXTA); len(ta) > 0 {
		s.tell(rollover.CodeAnchorCert, s.owner(), "%s: %s at %s will not match when the CA has its certificate issued anew with the same key", s.Name, shortenAll(ta), s.base.at())
	}
	if usable := s.with(s.usable); !slices.ContainsFunc(usable, func(a tlsa.Association) bool { return a.Matching != tlsa.SHA512 }) {
		s.tell(rollover.CodeOnlySHA512, s.owner(), "%s: all records at %s that can be used have SHA2-512 digests: %s", s.Name, s.base.at(), shortenAll(usable))
	}
}

func octets(as []tlsa.Association) (n int) {
	for _, a := range as {
		n += len(a.Data) / 2
	}
	return n
}

// matches reports whether a record vouches for any chain that is presented.
func (s *scene) matches(a tlsa.Association) bool {
	return slices.ContainsFunc(s.shown, func(p showing) bool {
		_, err := p.Chain.Match(a, s.ref)
		return err == nil
	})
}

// tellSingle tells that no record is there for the next key: all of usage 3 are of keys
// in use, and none is of a CA.
func (s *scene) tellSingle() {
	if len(s.shown) == 0 || s.failures(s.records, s.ref) > 0 {
		return
	}
	ahead := s.with(func(a tlsa.Association) bool {
		return s.usable(a) && (a.Usage == tlsa.DANETA || a.Usage == tlsa.PKIXTA || !s.matches(a)) && s.mistakeIn(a).code == "" && !s.retired(a)
	})
	if len(ahead) == 0 {
		s.tell(rollover.CodeSingleRecord, s.owner(), "%s: the records at %s are of the key in use alone: %s", s.Name, s.base.at(), shortenAll(s.with(s.usable)))
	}
}

func (s *scene) tellSize() {
	n, size := len(s.records.Associations), rollover.ReplySize(s.base.Target, s.records)
	switch {
	case n > rollover.MaxRecords:
		s.tell(rollover.CodeTooManyRecords, s.owner(), "%s: %d records at %s: some %s stop at %d and give up", s.Name, n, s.base.at(), s.who(), rollover.MaxRecords)
	case n >= rollover.ManyRecords:
		s.tell(rollover.CodeRRsetLarge, s.owner(), "%s: %d records at %s: some %s stop at %d", s.Name, n, s.base.at(), s.who(), rollover.MaxRecords)
	case size > rollover.MaxReply:
		s.tell(rollover.CodeAnswerLarge, s.owner(), "%s: the signed answer at %s has about %d octets, more than %d", s.Name, s.base.at(), size, rollover.MaxReply)
	}
}

// TTLs of TLSA records beyond which they are told of: a day, as mistakes and lost keys
// last so long; 5 minutes (RFC 6781, section 4.4.1).
const (
	longTTL  = 24 * time.Hour
	shortTTL = 5 * time.Minute
)

// tellTTL goes by what servers give, as the resolver's is what is left of it.
func (s *scene) tellTTL() {
	for _, v := range versionsOf(s.base) {
		if !v.Same(s.records) {
			continue
		}
		switch own := max(0, v.TTL-s.base.AliasTTL); {
		case v.TTL > longTTL:
			s.tell(rollover.CodeTTLLong, s.owner(), "%s: the records at %s may be cached for %s", s.Name, s.base.at(), seconds(v.TTL))
		case own < shortTTL:
			s.tell(rollover.CodeTTLShort, s.owner(), "%s: the records at %s may be cached for %s only", s.Name, s.base.at(), seconds(own))
		}
	}
}
