package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellLookups tells why a client does not come as far as to records that count: of the
// first lookup that ends the way, as the others follow from it.
func (s *scene) tellLookups() {
	switch {
	case s.Reach.Security == rollover.Bogus:
		s.tell(rollover.CodeZoneBogus, s.Name, "%s: the lookup of its addresses is bogus: %s", s.Name, s.Reach.Text).of(s.Reach.Text).reportedAs(resultDNSSECInvalid).mendedBy(mendZone)
		return
	case s.Reach.Err != "" || s.Reach.Security == rollover.Indeterminate:
		why := cmp.Or(s.Reach.Err, s.Reach.Text)
		s.tell(rollover.CodeZoneIndeterminate, s.Name, "%s: its addresses could not be looked up: %s", s.Name, why).of(why).mendedBy(mendResolver)
		return
	case !s.Reach.Exists && s.Reach.Security != "":
		s.tellNoAddress()
		return
	}
	if s.SMTP && len(s.Aliases) > 0 {
		s.tell(rollover.CodeMXAlias, s.Name, "%s is an alias of %s, which the host of an MX record must not be", s.Name, s.Target)
	}
	s.tellInVain()
	s.tellFailedLookups()
	s.tellOtherBase()
	if s.Zone.Security == rollover.Bogus && !s.told(rollover.CodeZoneBogus) {
		s.tell(codeDenialBogus, s.Name, "%s: a lookup of SOA there is bogus, so that the zone's denials are broken: %s", s.Name, s.Zone.Text).of(s.Zone.Text).reportedAs(resultDNSSECInvalid)
	}
}

func (s *scene) tellNoAddress() {
	if s.SMTP {
		s.tell(rollover.CodeMXNoAddress, s.Name, "%s has no address", s.Name)
		return
	}
	s.tell(rollover.CodeEndpointUnseen, s.Name, "%s has no address", s.Name)
}

// tellInVain tells of records that no client uses, as something on the way to them is not
// signed.
func (s *scene) tellInVain() {
	for i := range s.Bases {
		b := &s.Bases[i]
		records := s.standing(b, tlsa.Reference{})
		if records.Denial() || b.Security == rollover.Bogus || b.Security == rollover.Indeterminate {
			continue
		}
		switch {
		case b.Security == rollover.Insecure:
			s.tellInsecure(b, records)
		case b.InVain && len(s.Aliases) == 0:
			s.tell(rollover.CodeAddressInsecure, s.Name, "%s: its addresses are not signed for anyone, so that nobody asks for the %d TLSA %s at %s: %s",
				s.Name, len(records.Associations), verb(len(records.Associations), "record", "records"), b.at(), s.Reach.Text).reportedAs(resultDANERequired)
		}
	}
	if step := s.insecureStep(); step != "" && s.base == nil && !s.told(rollover.CodeRecordsInsecure) {
		s.tell(rollover.CodeAliasInsecure, s.Name, "%s: it is an alias, and the way to its addresses is not signed for anyone from %s on, so that nobody asks for TLSA records there: %s", s.Name, step, s.Reach.Text).reportedAs(resultDANERequired)
	}
}

// insecureStep is the name where the way of a host's aliases leaves what is signed; "" if
// it does not, or was never there.
func (s *scene) insecureStep() string {
	if s.Reach.Security != rollover.Insecure || len(s.Aliases) == 0 || s.Aliases[0].Security != rollover.Secure {
		return ""
	}
	i := slices.IndexFunc(s.Aliases, func(step Step) bool { return step.Security == rollover.Insecure })
	if i < 0 {
		return s.Target
	}
	return s.Aliases[i].Owner
}

// tellInsecure tells of records in a zone that is not signed for anyone. A zone with keys
// and no DS record is told of as that, see tellPassedOn.
func (s *scene) tellInsecure(b *Base, records tlsa.RRset) {
	n := len(records.Associations)
	warning := ""
	if s.failures(records, reference(s.Host, b.Name, s.at)) > 0 {
		warning = "; they do not match what is presented, which breaks mail as soon as they count"
	}
	if slices.ContainsFunc(b.Findings, func(w rollover.Warning) bool { return w.Code == codeNoDS }) {
		s.idle = map[string]string{b.Name: fmt.Sprintf("so that the %d TLSA %s at %s %s for nothing%s", n, verb(n, "record", "records"), b.at(), verb(n, "counts", "count"), warning)}
		return
	}
	at := b.at()
	if b.alias() != "" {
		at += b.alias() + ","
	}
	f := s.tell(rollover.CodeRecordsInsecure, b.Owner.String(), "%s: %d TLSA %s at %s that %s for nothing, as nobody can validate %s: %s%s",
		s.Name, n, verb(n, "record stands", "records stand"), at, verb(n, "counts", "count"), verb(n, "it", "them"), b.SecurityText, warning).of(b.Zone).reportedAs(resultDANERequired)
	if b.alias() != "" { // the host's own zone may well be signed
		f.mendedBy("Publish records at %s itself, or have every zone on the way of the alias signed, with a DS record in its parent; see first that they match what is presented, as they count from then on.", b.at())
	}
}

// tellFailedLookups tells of the TLSA lookup that has no usable end.
func (s *scene) tellFailedLookups() {
	for i := range s.Bases {
		b := &s.Bases[i]
		why := cmp.Or(b.SecurityText, b.Resolved.Err)
		switch {
		case b.InVain || b.Security == rollover.Insecure || b.Security == rollover.Secure && b.Resolved.Known():
			continue
		case b.Security == rollover.Bogus:
			s.tell(rollover.CodeZoneBogus, cmp.Or(b.Zone, b.Owner.String()), "%s: the lookup of TLSA records at %s is bogus: %s%s", s.Name, b.at(), why, firstFault(b)).of(cmp.Or(b.Zone, why)).reportedAs(resultDNSSECInvalid).mendedBy(mendZone)
		case b.failed().demand == demandNever:
			s.tell(rollover.CodeTLSAUnanswered, b.Owner.String(), "%s: its addresses can be looked up, its TLSA records at %s cannot: %s%s", s.Name, b.at(), why, firstFault(b)).reportedAs(resultDNSSECInvalid)
		default:
			s.tell(rollover.CodeZoneIndeterminate, b.Owner.String(), "%s: whether the TLSA records at %s count could not be found out: %s", s.Name, b.at(), why).of(why).mendedBy(mendResolver)
		}
		return
	}
}

// firstFault is what the first server that gives no usable answer says.
func firstFault(b *Base) string {
	for _, v := range b.Servers {
		if !v.Answer.Known() && !v.Untested {
			return fmt.Sprintf("; %s: %s", serverName(v), v.Answer.Err)
		}
	}
	return ""
}

// tellOtherBase tells of records that clients of an alias come to if they do not find, or
// do not look for, those at its end (RFC 7672, section 2.2.2).
func (s *scene) tellOtherBase() {
	for i := range s.Bases {
		b := &s.Bases[i]
		if s.base == nil || b.Name == s.base.Name || b.InVain || b.Security != rollover.Secure {
			continue
		}
		ref := reference(s.Host, b.Name, s.at)
		if records := s.standing(b, ref); !records.Denial() && s.failures(records, ref) > s.failures(s.records, s.ref) {
			s.tell(rollover.CodeBaseUnmatched, b.Owner.String(), "%s: the records at %s, %s, do not match what is presented, which those at %s do", s.Name, b.at(), shortenAll(records.Associations), s.base.at()).reportedAs(resultTLSAInvalid)
		}
	}
}
