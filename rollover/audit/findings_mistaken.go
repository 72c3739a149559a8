package audit

import (
	"fmt"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// mistakeIn finds what a record that can be used and matches nothing presented is the
// digest of.
func (s *scene) mistakeIn(a tlsa.Association) mistake {
	if !s.usable(a) || s.matches(a) {
		return mistake{}
	}
	for _, l := range s.leaves() {
		if m := mistakeOf(a, l.Chain); m.code != "" {
			return m
		}
	}
	return mistake{}
}

// tellMistaken tells of records whose digest is of something else, by what that is.
func (s *scene) tellMistaken() {
	found := map[mistake][]tlsa.Association{}
	var order []mistake
	for _, a := range s.records.Associations {
		m := s.mistakeIn(a)
		if m.code == "" {
			continue
		}
		if found[m] == nil {
			order = append(order, m)
		}
		found[m] = append(found[m], a)
	}
	for _, m := range order {
		as := found[m]
		f := s.tell(m.code, s.owner(), "%s: %s at %s %s nothing: the data is the digest of %s", s.Name, shortenAll(as), s.base.at(), verb(len(as), "matches", "match"), m.of)
		f.mendedBy("Take it out: the records of what is presented stand already.").reportedAs(resultTLSAInvalid)
		if lines := s.lacking(); len(lines) > 0 {
			f.mendedBy("Publish %s and take the record out.", listed(lines))
		}
	}
}

// publishing puts into a remedy the records of the keys that are presented and have none,
// as zone lines.
func (s *scene) publishing(remedy string) string {
	lines := s.lacking()
	if len(lines) == 0 {
		return fmt.Sprintf(remedy, "3 1 1 of the key that the server presents")
	}
	return fmt.Sprintf(remedy, listed(lines))
}

// lacking are the 3 1 1 records of what is presented that do not stand.
func (s *scene) lacking() (lines []string) {
	for _, l := range s.leaves() {
		if a, err := l.Association(tlsa.EE, 0); err == nil && !s.records.Has(a) {
			lines = append(lines, zoneLine(s.base.Owner, a))
		}
	}
	return lines
}
