package audit

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellIssuers tells of records that name some of a CA's intermediates and not all, and of
// those that it does not sign with any more.
func (s *scene) tellIssuers() {
	var retired []tlsa.Association
	for _, set := range s.IssuerSets {
		for _, a := range set.Retired {
			if s.records.Has(a) && !s.matches(a) && !slices.Contains(retired, a) {
				retired = append(retired, a)
			}
		}
	}
	if len(retired) > 0 {
		s.tell(rollover.CodeIssuerRetired, s.owner(), "%s: %s at %s %s that the CA signs with no more", s.Name, shortenAll(retired), s.base.at(), verb(len(retired), "names an intermediate", "name intermediates"))
	}
	if s.keysAhead() {
		return
	}
	if set := s.pinned(); set != nil {
		missing := s.records.Missing(set.Current...)
		s.tell(rollover.CodeIssuerSiblings, s.owner(), "%s: the CA signs with any of %s, and %d of these %s no record at %s: %s",
			s.Name, set.Name, len(missing), verb(len(missing), "has", "have"), s.base.at(), shortenAll(missing))
	}
}

// pinned is the smallest set of which some have a record, and that all of it has not; nil
// if there is none. A smaller set that is whole answers for a larger one around it.
func (s *scene) pinned() (found *IssuerSet) {
	for i := range s.IssuerSets {
		set := &s.IssuerSets[i]
		some := slices.ContainsFunc(set.Current, s.records.Has)
		if some && (found == nil || len(set.Current) < len(found.Current)) {
			found = set
		}
	}
	if found == nil || len(s.records.Missing(found.Current...)) == 0 {
		return nil
	}
	return found
}

// keysAhead reports whether a next key has a record, so that no issuer's is needed for it.
func (s *scene) keysAhead() bool {
	return slices.ContainsFunc(s.records.Associations, func(a tlsa.Association) bool {
		return a.Usage == tlsa.DANEEE && a.Selector == tlsa.SPKI && s.usable(a) && !s.matches(a) && s.mistakeIn(a).code == ""
	})
}
